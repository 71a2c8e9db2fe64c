//go:build unix

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/sensor/health"
	"rpcapd/test/ports"
)

// fetch reads an address of the sensor's health server.
func fetch(t *testing.T, address string) (int, string) {
	t.Helper()
	c := http.Client{Timeout: 30 * time.Second}
	resp, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// startHealthy runs a sensor that shows its health and has got some frames from an agent.
func startHealthy(t *testing.T, frames int, args ...string) (*process, *agent, string) {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	p := start(t, nil, append(args, "--http", address)...)
	await(t, "showing health", p.stderr.String, p)
	a := connect(t, p)
	for range frames {
		a.send()
	}
	return p, a, "http://" + address
}

// TestHealthOfTheRealSensor: page, JSON, metrics and top say what an agent has sent.
func TestHealthOfTheRealSensor(t *testing.T) {
	t.Parallel() // the agent is asked for its numbers only after 5 s
	p, _, base := startHealthy(t, 7, "-w", filepath.Join(t.TempDir(), "out.pcapng"))
	var peer health.Peer
	all := func() bool { // the output and the numbers of the agent come in their own time
		return peer.Received.Frames == 7 && peer.Forwarded.Known && len(peer.Sinks) == 1 && peer.Sinks[0].Written == 7
	}
	for end := time.Now().Add(40 * time.Second); !all(); time.Sleep(50 * time.Millisecond) {
		var a health.PeersAnswer
		_, body := fetch(t, base+"/api/v1/peers")
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if len(a.Peers) == 1 {
			peer = a.Peers[0]
		}
		if time.Now().After(end) {
			t.Fatalf("the JSON says %s", body)
		}
	}
	if peer.Name != "127.0.0.1/eth0" || peer.State != "running" || peer.Rule != "default" || peer.Port == 0 || peer.Format != "udpstr" ||
		peer.ClockOffset == nil {
		t.Errorf("%+v", peer)
	}
	for path, want := range map[string]string{
		"/": ">127.0.0.1/eth0<", "/readyz": "ready", "/healthz": "ok",
		"/metrics": `rpcap_sensor_peer_received_frames_total{agent="127.0.0.1",interface="eth0"} 7`,
	} {
		if code, body := fetch(t, base+path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d\n%.2000s", path, code, body)
		}
	}
	out, msg, code := execute(t, "top", "--url", base, "--once", "--sort", "missing")
	if code != exitOK || !strings.Contains(out, "1 forwarding") || !strings.Contains(out, "127.0.0.1/eth0  running  default") || strings.Contains(out, "\x1b") {
		t.Errorf("exit code %d, %s%s", code, out, msg)
	}
	begin := time.Now()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := p.exits(t); code != exitOK || time.Since(begin) > 40*time.Second {
		t.Errorf("exit code %d after %v:\n%s", code, time.Since(begin), p.stderr.String())
	}
}

// TestHealthWithPasswordAndTLS: the file says where, with which certificate and for whom; top reads the same file.
func TestHealthWithPasswordAndTLS(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sensor"}, DNSNames: []string{"sensor.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"c.pem": {Type: "CERTIFICATE", Bytes: der}, "k.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	account, err := config.NewAccount("ops", "the right one")
	if err != nil {
		t.Fatal(err)
	}
	port := ports.Free(t)
	file := write(t, fmt.Sprintf("[rule a]\nPort = %d\n[data]\nFirstPort = %d\nPorts = 1\n[http]\nListen = 127.0.0.1:%d\nCertificate = %s/c.pem\nKey = %s/k.pem\n%s\n",
		ports.Free(t), ports.Free(t), port, dir, dir, account.Setting()))
	p := startWithFile(t, file)
	await(t, "showing health", p.stderr.String, p)
	for _, tc := range []struct {
		password, want string
		code           int
		args           []string
	}{
		{"the right one", "0 forwarding", exitOK, []string{"-f", file}},
		{"a wrong one", "rejects this name and password (ops)", exitFailed, []string{"-f", file}},
		{"the right one", "certificate", exitFailed, []string{"--url", fmt.Sprintf("https://127.0.0.1:%d", port)}}, // nobody vouches for it
		{"the right one", "IP SANs", exitFailed, []string{"--url", fmt.Sprintf("https://127.0.0.1:%d", port), "--ca", dir + "/c.pem"}},
	} {
		args := append([]string{"top", "--once", "--user", "ops", "--password-file", write(t, tc.password+"\n")}, tc.args...)
		out, msg, code := execute(t, args...)
		if code != tc.code || !strings.Contains(out+msg, tc.want) {
			t.Errorf("%v: exit code %d, %s%s", tc.args, code, out, msg)
		}
	}
	if _, msg, code := execute(t, "top", "--once", "-f", file); code != exitFailed || !strings.Contains(msg, "use --user") {
		t.Errorf("without a password: exit code %d, %s", code, msg)
	}
}

// TestHealthAndReload: neither --http on the command line nor a section that has moved is a change of the file.
func TestHealthAndReload(t *testing.T) {
	file := write(t, "[rule a]\n[http]\n")
	s := &settings{}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.define(flags)
	if err := flags.Parse([]string{"-f", file, "--http", "127.0.0.1:9999"}); err != nil {
		t.Fatal(err)
	}
	first, err := s.load(zap.NewNop())
	if err != nil || first.config.HTTP.ListenText() != "127.0.0.1:9999" {
		t.Fatalf("%+v, %v", first.config.HTTP, err)
	}
	page := healthPage{says: first.config.HTTP}
	for text, want := range map[string]int{"\n\n[rule a]\n\n[http]\n": 0, "[rule a]\n[http]\nNames = a\n": 1} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		second, err := s.load(zap.NewNop())
		if same := sameSection(page.says, second.config.HTTP); err != nil || same != (want == 0) {
			t.Errorf("%q: the same %v, %v", text, same, err)
		}
	}
}

// TestHealthCannotListen: the sensor says so and ends.
func TestHealthCannotListen(t *testing.T) {
	_, _, base := startHealthy(t, 0)
	_, msg, code := execute(t, "--listen", fmt.Sprintf("127.0.0.1:%d", ports.Free(t)), "--udp-port", fmt.Sprint(ports.Free(t)), "--udp-ports", "1", "--http", strings.TrimPrefix(base, "http://"))
	if code != exitFailed || !strings.Contains(msg, "listen for HTTP on "+strings.TrimPrefix(base, "http://")) {
		t.Errorf("exit code %d, %s", code, msg)
	}
}

// healthTool finds a program that make test-health installs; other runs skip.
func healthTool(t *testing.T, name string) string {
	t.Helper()
	if os.Getenv("TEST_HEALTH") == "" {
		t.Skipf("needs %s; make test-health runs it", name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("make test-health installs %s: %v", name, err)
	}
	return path
}

// TestPromtoolChecksMetrics: promtool finds nothing to complain about in what a working sensor says.
func TestPromtoolChecksMetrics(t *testing.T) {
	promtool := healthTool(t, "promtool")
	_, _, base := startHealthy(t, 3, "-w", filepath.Join(t.TempDir(), "out.pcapng"))
	_, body := fetch(t, base+"/metrics")
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(body)
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("promtool check metrics: %d lines, no complaint", strings.Count(body, "\n"))
}

// TestPromtoolChecksAlerts: the rules are valid, and fire when they should and only then.
func TestPromtoolChecksAlerts(t *testing.T) {
	promtool := healthTool(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}, {"check", "config", "prometheus.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = "../../deploy/prometheus"
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("promtool %v: %v", args, err)
		}
		t.Logf("promtool %s\n%s", strings.Join(args, " "), out)
	}
}

// TestPrometheusScrapes: a real Prometheus reads a real sensor, with the alerts loaded, and knows what was received.
func TestPrometheusScrapes(t *testing.T) {
	prometheus := healthTool(t, "prometheus")
	_, _, base := startHealthy(t, 9)
	rules, err := filepath.Abs("../../deploy/prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs:\n- job_name: rpcap-sensor\n  static_configs: [{targets: [%q]}]\n",
		rules, strings.TrimPrefix(base, "http://"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, prometheus, "--config.file="+file, "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+listen)
	var log lockedBuffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() }) // it was killed
	query := "http://" + listen + "/api/v1/query?query=" + url.QueryEscape(`rpcap_sensor_peer_received_frames_total{agent="127.0.0.1"} and on () up{job="rpcap-sensor"} == 1`)
	var answer string
	for end := time.Now().Add(60 * time.Second); !strings.Contains(answer, `"9"]`); time.Sleep(200 * time.Millisecond) {
		if resp, err := http.Get(query); err == nil {
			b, _ := io.ReadAll(resp.Body) // what there is
			resp.Body.Close()
			answer = string(b)
		}
		if time.Now().After(end) {
			t.Fatalf("Prometheus answers %s\n%s", answer, log.String())
		}
	}
	t.Log(answer)
	for _, expr := range dashboard(t) {
		resp, err := http.Get("http://" + listen + "/api/v1/query?query=" + url.QueryEscape(expr))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(b), `"status":"success"`) {
			t.Errorf("the dashboard's %s: %s, %v", expr, b, err)
		}
	}
	resp, err := http.Get("http://" + listen + "/api/v1/rules")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(b), "RpcapPathLoss") || strings.Contains(string(b), `"health":"err"`) {
		t.Errorf("%v\n%s", err, b)
	}
}

// dashboard lists what the panels of the Grafana dashboard ask for, with its variables filled in.
func dashboard(t *testing.T) (list []string) {
	t.Helper()
	b, err := os.ReadFile("../../deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$instance", ".*", "$agent", ".*", "$__rate_interval", "1m")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			list = append(list, fill.Replace(target.Expr))
		}
	}
	if len(list) < 20 {
		t.Fatalf("the dashboard has only %d expressions", len(list))
	}
	return list
}
