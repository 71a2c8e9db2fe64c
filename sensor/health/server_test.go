package health

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/zap"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// get asks a server and returns status, body and headers.
func get(t *testing.T, url string, change func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// TestAddresses: everything that is there answers, nothing else does, and every answer has the headers that keep
// browsers from doing more than they must.
func TestAddresses(t *testing.T) {
	f := newFake()
	f.peers = []status.Peer{running("web1", 5, time.Now())}
	s := serveFake(t, f, nil)
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"": {200, "<h1>"}, "healthz": {200, "ok"}, "readyz": {200, "ready"}, "metrics": {200, "rpcap_sensor_peer_up{"},
		"api/v1/peers": {200, `"web1/eth0"`}, "api/v1/ports": {200, `"ports":[]`}, "api/v1/sinks": {200, `"sinks":[]`},
		"api/v1/problems": {200, `"problems":[]`}, "api/v1/history": {200, `"step_seconds":20`}, "api/v1/status": {200, `"ready":true`},
		"static/page.js": {200, "refresh"}, "static/page.css": {200, "prefers-color-scheme"}, "static/icon.svg": {200, "<svg"},
		"nothing": {404, ""}, "api/v1/nothing": {404, ""}, "static/": {404, ""}, "static/../page.html": {404, ""}, "favicon.ico": {404, ""},
		"api/v1/peers?sort=x": {400, "it is one of"}, "api/v1/peers?limit=-1": {400, "limit"}, "api/v1/history?minutes=61": {400, "1 to 60"},
		"api/v1/history?peer=x": {400, "no peer has this name"}, "?order=up": {400, "asc or desc"}, "?peer=nobody": {200, "no peer called <b>nobody</b>"},
		"?peer=web1%2Feth0": {200, "Accepted by its filter"}, "?q=nobody": {200, "No peer matches"},
	} {
		code, body, h := get(t, s.URL()+path, nil)
		if code != want.code || !strings.Contains(body, want.text) {
			t.Errorf("/%s: %d, %.300s", path, code, body)
		}
		if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("/%s: headers %v", path, h)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		if code, _, h := get(t, s.URL(), func(r *http.Request) { r.Method = method }); code != http.StatusMethodNotAllowed || h.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, code)
		}
	}
	code, body, h := get(t, s.URL(), func(r *http.Request) { r.Method = http.MethodHead })
	if code != 200 || body != "" || h.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %q, %v", code, body, h)
	}
	_, body, h = get(t, s.URL(), func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	if h.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(body, "\x1f\x8b") {
		t.Errorf("compressed: %v", h)
	}
}

// TestForeignNames: on loopback only names of this machine are taken, so that no site can point its own name here.
func TestForeignNames(t *testing.T) {
	s := serveFake(t, newFake(), func(o *Options) { o.Names = []string{"sensor.example"} })
	for host, want := range map[string]int{
		"127.0.0.1": 200, "localhost:9203": 200, "[::1]:80": 200, "LOCALHOST": 200, "a.localhost": 200, "sensor.example:9203": 200, "10.0.0.1": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:9203": 421, "xlocalhost": 421,
	} {
		for _, path := range []string{"", "metrics", "api/v1/peers", "healthz"} {
			if code, _, _ := get(t, s.URL()+path, func(r *http.Request) { r.Host = host }); code != want {
				t.Errorf("%s /%s: %d", host, path, code)
			}
		}
	}
}

// TestPassword: right ones open, wrong ones do not, guessing is slowed down without shutting out those who know.
func TestPassword(t *testing.T) {
	asked := 0
	s := serveFake(t, newFake(), func(o *Options) {
		o.Authenticate = func(user, password string) bool { asked++; return user == "ops" && password == "right" }
	})
	with := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	for _, path := range []string{"", "metrics", "api/v1/peers", "static/page.js", "nothing"} {
		code, body, h := get(t, s.URL()+path, nil)
		if code != 401 || !strings.HasPrefix(h.Get("WWW-Authenticate"), "Basic realm=") || strings.Contains(body, "rpcap_sensor") {
			t.Errorf("/%s without a password: %d", path, code)
		}
	}
	if asked != 0 {
		t.Error("no password costs as much as a wrong one")
	}
	for range 5 {
		if code, _, _ := get(t, s.URL(), with("ops", "right")); code != 200 {
			t.Errorf("right password: %d", code)
		}
	}
	if asked != 1 {
		t.Errorf("a right password was checked %d times", asked)
	}
	codes := make(map[int]int)
	for i := range 12 {
		code, _, _ := get(t, s.URL(), with("ops", fmt.Sprint("wrong", i)))
		codes[code]++
	}
	if codes[200] != 0 || codes[401] > tryBurst+2 || codes[429] < 5 {
		t.Errorf("guesses: %v", codes)
	}
	if code, _, _ := get(t, s.URL(), with("ops", "right")); code != 200 {
		t.Errorf("guesses of others shut out who knows the password: %d", code)
	}
	for _, path := range []string{"healthz", "readyz"} {
		if code, _, _ := get(t, s.URL()+path, nil); code != 200 {
			t.Errorf("/%s needs a password", path)
		}
	}
}

func TestTriersAreBounded(t *testing.T) {
	g := newGate(func(string, string) bool { return false })
	now := time.Now()
	for i := range 3 * maxTriers {
		g.mayTry(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := len(g.tries); n > maxTriers+1 {
		t.Errorf("%d addresses are remembered", n)
	}
	if g.mayTry(netip.MustParseAddr("192.0.2.1"), now) {
		t.Error("a flood from many addresses gets more tries than one")
	}
	if !g.mayTry(netip.MustParseAddr("192.0.2.1"), now.Add(time.Minute)) {
		t.Error("after the flood nobody may try")
	}
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff")
	for range tryBurst {
		g.mayTry(a, now.Add(time.Hour))
	}
	if g.mayTry(b, now.Add(time.Hour)) {
		t.Error("an IPv6 network has as many tries as addresses")
	}
}

func TestReady(t *testing.T) {
	f := newFake()
	f.ready = make(chan struct{})
	f.sinks = []sink.Status{{Name: "all.pcapng", State: sink.Retrying, Error: "no space left on device"}}
	code, body, _ := get(t, serveFake(t, f, nil).URL()+"readyz", nil)
	if code != 503 || !strings.Contains(body, "listeners") || !strings.Contains(body, "all.pcapng does not work: no space left") {
		t.Errorf("%d %s", code, body)
	}
	close(f.ready)
	closed := serveFake(t, f, func(o *Options) { o.Authenticate = func(string, string) bool { return false } })
	if code, body, _ := get(t, closed.URL()+"readyz", nil); code != 503 || strings.Contains(body, "pcapng") {
		t.Errorf("with accounts: %d %s", code, body)
	}
	f.sinks[0].State = sink.Running
	if code, body, _ := get(t, serveFake(t, f, nil).URL()+"readyz", nil); code != 200 || body != "ready\n" {
		t.Errorf("%d %s", code, body)
	}
}

// keyPair writes a new certificate and its key.
func keyPair(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "sensor"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := keyPair(t, dir, 1)
	s := serveFake(t, newFake(), func(o *Options) { o.Certificate, o.Key = cert, key })
	if code, body, _ := get(t, s.URL()+"healthz", nil); code != 200 || body != "ok\n" || !strings.HasPrefix(s.URL(), "https://") {
		t.Errorf("%d %s at %s", code, body, s.URL())
	}
	modern := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	if resp, err := modern.Get(s.URL() + "healthz"); err != nil || resp.Proto != "HTTP/2.0" {
		t.Errorf("%v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
	if code, _, _ := get(t, strings.Replace(s.URL(), "https", "http", 1), nil); code != 400 {
		t.Errorf("without TLS: %d", code)
	}
	if _, err := New(Options{Source: newFake(), Listen: netip.MustParseAddrPort("127.0.0.1:0"), Certificate: key, Key: key}); err == nil {
		t.Error("a key is no certificate")
	}

	keyPair(t, dir, 2)
	for until := time.Now().Add(30 * time.Second); ; {
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		serial := c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
		c.Close()
		if serial == 2 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("a renewed certificate is not taken")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestHostilePage: what agents call themselves is text on the page, and never more.
func TestHostilePage(t *testing.T) {
	f := newFake()
	evil := running("web1", 1, time.Now())
	evil.Interface = `<script>alert(1)</script>"' onload=x`
	evil.Name, evil.State = "web1/"+evil.Interface, status.StateHeld
	evil.Reason, evil.Rule = `</td><img src=x onerror=alert(2)>`, `javascript:alert(3)`
	f.peers = []status.Peer{evil}
	s := serveFake(t, f, nil)
	for _, path := range []string{"", "?peer=web1%2F%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27+onload%3Dx", "?q=%22%3E%3Cscript%3Ealert(4)%3C/script%3E", "?peer=%3Cscript%3Ealert(5)"} {
		code, body, _ := get(t, s.URL()+path, nil)
		if code != 200 || strings.Contains(body, "<script>") || strings.Contains(body, "<img src=x") || strings.Contains(body, `"' onload`) {
			t.Errorf("%s: %d\n%s", path, code, body)
		}
	}
	if _, body, _ := get(t, s.URL()+"api/v1/peers", nil); strings.Contains(body, "<script>") {
		t.Error("JSON that a browser might take for HTML")
	}
}

// TestNothingInline: the page keeps to its own policy.
func TestNothingInline(t *testing.T) {
	f := newFake()
	s := serveFake(t, f, nil)
	newRack(s.tracker, f, 8)
	_, body, _ := get(t, s.URL()+"?peer=web1%2Feth0", nil)
	for _, inline := range []string{`<[^>]* style=`, `<[^>]* on[a-z]+=`, `<script[^>]*>[^<]`, `<style`, `(src|href)="(https?:)?//`} {
		if m := regexp.MustCompile(inline).FindString(body); m != "" {
			t.Errorf("the page has %q", m)
		}
	}
}

// TestMetricsAreGood: promtool check metrics has nothing to say.
func TestMetricsAreGood(t *testing.T) {
	f := newFake()
	s := serveFake(t, f, nil)
	newRack(s.tracker, f, 12)
	code, body, h := get(t, s.URL()+"metrics", nil)
	if code != 200 || !strings.HasPrefix(h.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%d %v", code, h)
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	for _, want := range []string{
		`rpcap_sensor_peer_info{address="10.10.0.21",agent="web1",format="udpstr",interface="eth0",port="2003",rule="default"} 1`,
		`rpcap_sensor_peer_missing_frames_total{agent="web4",interface="eth0"} 53100`,
		`rpcap_sensor_output_up{kind="file",output="/var/lib/rpcap-sensor/all.pcapng"} 1`,
		"rpcap_sensor_ready 1", "go_goroutines ", "process_start_time_seconds ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestThousandPeers: page and JSON stay small and quick.
func TestThousandPeers(t *testing.T) {
	f := newFake()
	s := serveFake(t, f, nil)
	for i := range 1000 {
		p := running(fmt.Sprintf("web%d", i), uint64(i), time.Now())
		p.DataPort = uint16(2003 + i%32)
		f.peers = append(f.peers, p)
	}
	s.tracker.step(time.Now().Add(time.Minute))
	begin := time.Now()
	code, body, _ := get(t, s.URL()+"?sort=received&order=desc&page=2", nil)
	if took := time.Since(begin); code != 200 || took > 30*time.Second || len(body) > 200_000 {
		t.Errorf("%d, %d bytes in %v", code, len(body), took)
	}
	if !strings.Contains(body, ">web949/eth0<") || strings.Contains(body, ">web950/eth0<") || strings.Contains(body, ">web899/eth0<") ||
		!strings.Contains(body, "Page 2 of 20") || !strings.Contains(body, `aria-sort="descending"`) {
		t.Errorf("the second page:\n%s", body)
	}
	code, body, _ = get(t, s.URL()+"api/v1/peers", nil)
	if code != 200 {
		t.Fatal(code)
	}
	var a PeersAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Total != 1000 || len(a.Peers) != 1000 || a.Peers[10].Name != "web10/eth0" {
		t.Errorf("%d of %d peers, %v", len(a.Peers), a.Total, err)
	}
	_, body, _ = get(t, s.URL()+"api/v1/peers?q=WEB99&state=running&limit=5&page=3&order=desc", nil)
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Total != 11 || len(a.Peers) != 1 || a.Peers[0].Name != "web99/eth0" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestFieldNames: members of the JSON are in snake_case and lists are never null.
func TestFieldNames(t *testing.T) {
	f := newFake()
	s := serveFake(t, f, nil)
	newRack(s.tracker, f, 2)
	for path := range s.answers() {
		_, body, _ := get(t, s.URL()+"api/v1/"+path, nil)
		for _, m := range regexp.MustCompile(`"([^"]*)":`).FindAllStringSubmatch(body, -1) {
			if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(m[1]) {
				t.Errorf("%s: member %q", path, m[1])
			}
		}
		if m := regexp.MustCompile(`"(peers|ports|sinks|problems|parts|details|not_ready_because)":null`).FindString(body); m != "" {
			t.Errorf("%s: %s", path, m)
		}
	}
}

// TestPortInUse: the error says what is in use.
func TestPortInUse(t *testing.T) {
	s := serveFake(t, newFake(), nil)
	_, err := New(Options{Source: newFake(), Listen: s.Addr()})
	if err == nil || !strings.Contains(err.Error(), s.Addr().String()) {
		t.Error(err)
	}
}

// TestSilentClients: connections that say nothing, as many as there may be, keep nobody out for longer than a few seconds.
func TestSilentClients(t *testing.T) {
	t.Parallel()
	s := serveFake(t, newFake(), nil)
	for range maxConnections + 20 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	begin := time.Now()
	if code, _, _ := get(t, s.URL()+"healthz", nil); code != 200 || time.Since(begin) > 20*time.Second {
		t.Errorf("%d after %v", code, time.Since(begin))
	}
}

// FuzzWhatAgentsSay: whatever agents call themselves and whatever is asked for, page, JSON and metrics can be made, and
// no text becomes markup.
func FuzzWhatAgentsSay(f *testing.F) {
	f.Add("eth0", "no interface", "q=web&sort=rate&order=desc&page=3")
	f.Add("<script>", "\x1b[31m\xff", "peer=web1%2F%3Cscript%3E&minutes=5")
	f.Add("a/b\n", "\u202e", "limit=0&top=50&points=720&state=waiting")
	f.Fuzz(func(t *testing.T, iface, reason, query string) {
		fake := newFake()
		p := running("web1", 3, time.Now())
		p.Interface, p.Name, p.Reason, p.LastError, p.State = iface, "web1/"+iface, reason, reason, status.StateHeld
		fake.peers = []status.Peer{p, ended(p, 1)}
		s := newServer(Options{Source: fake, Log: zap.NewNop()})
		if _, err := s.tracker.registry().Gather(); err != nil {
			t.Fatal(err)
		}
		for path, handle := range map[string]http.HandlerFunc{"/": s.page, "/api": func(w http.ResponseWriter, r *http.Request) {
			for _, a := range s.answers() {
				s.json(w, r, a)
			}
		}} {
			r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}}
			w := httptest.NewRecorder()
			handle(w, r)
			if w.Code >= 500 || strings.Contains(w.Body.String(), "<script>") {
				t.Fatalf("%d\n%s", w.Code, w.Body)
			}
		}
	})
}

// TestContrast: every text can be read on what is behind it, by day and by night, 4.5 to 1 as WCAG has it. The areas of the
// charts have names and numbers beside them.
func TestContrast(t *testing.T) {
	css, err := staticFiles.ReadFile("static/page.css")
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(roots) != 2 {
		t.Fatalf("%d sets of colours", len(roots))
	}
	for i, root := range roots {
		luminance := make(map[string]float64)
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(root[1], -1) {
			hex := m[2]
			if len(hex) == 3 {
				hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
			}
			var sum float64
			for k, weight := range []float64{0.2126, 0.7152, 0.0722} {
				n, err := strconv.ParseUint(hex[2*k:2*k+2], 16, 8)
				if err != nil {
					t.Fatal(err)
				}
				v := float64(n) / 255
				if v <= 0.04045 {
					v /= 12.92
				} else {
					v = math.Pow((v+0.055)/1.055, 2.4)
				}
				sum += weight * v
			}
			luminance[m[1]] = sum
		}
		ratio := func(a, b string) float64 {
			x, y := luminance[a], luminance[b]
			return (max(x, y) + 0.05) / (min(x, y) + 0.05)
		}
		for _, pair := range []string{
			"text back", "text card", "quiet back", "quiet card", "link card", "link back", "loss card", "loss back", "text error-back",
			"text warning-back", "text info-back", "quiet error-back", "quiet warning-back", "quiet info-back",
			"error error-back", "warning warning-back", "info info-back", "good good-back", "error back",
		} {
			a, b, _ := strings.Cut(pair, " ")
			if r := ratio(a, b); r < 4.5 {
				t.Errorf("set %d: %s on %s has %.2f to 1", i, a, b, r)
			}
		}
		for _, c := range []string{"focus", "other", "c0", "c1", "c2", "c3", "c4", "c5", "c6"} {
			if r := ratio(c, "card"); r < 2 {
				t.Errorf("set %d: %s has %.2f to 1", i, c, r)
			}
		}
	}
}
