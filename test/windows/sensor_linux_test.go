package windows

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// Where rpcap-sensor.exe and its files are in these tests.
const (
	sensorProgram = `Z:\exe\rpcap-sensor.exe`
	sensorIni     = `C:\my captures\rpcap-sensor.ini`
	sensorFile    = `C:\my captures\frames.pcapng`
	sensorFolder  = `C:\my captures\old`
)

// TestRootSensor: rpcap-sensor.exe takes a Linux agent, writes its frames into files, serves them to a PCAP-over-IP client, shows
// its page, takes a changed file over, and ends with Ctrl-C.
func TestRootSensor(t *testing.T) {
	s := newStage(t)
	m := newMachine(t, s.sensor)
	m.share(programs(t), "/exe")
	ini := "[rule lab]\r\nInterface = eth0\r\n[file kept]\r\nPath = " + sensorFolder + "\\%Y-%m-%d.pcapng\r\n" +
		"[pcap-over-ip]\r\nListen = 127.0.0.1:57012\r\n[http]\r\nListen = 127.0.0.1:8080\r\n"
	m.write(sensorIni, ini)
	sen := m.start("/", sensorProgram, "-f", sensorIni, "-w", sensorFile)
	sen.Says("waiting for agents", 1)
	client := s.follow(sen)
	s.startLinuxAgent().Says("capture started", 1)

	const many = 10_000
	want := s.numbered(0, many)
	begin := time.Now()
	s.send(want)
	var got [][]byte
	sen.Await("frames", func() bool {
		got = arrived(t, content(t, m.unix(sensorFile)))
		time.Sleep(100 * time.Millisecond)
		return len(got) >= many
	})
	t.Logf("%d frames arrived within %v", len(got), time.Since(begin).Round(time.Millisecond))
	sameFrames(t, "the file", got, want)

	s.showsPage()
	m.write(sensorIni, strings.Replace(ini, "[rule lab]", "[rule new]", 1))
	sen.Says("rules reloaded", 1)
	m.write(sensorIni, "[rule new]\r\nSnaplen = x\r\n")
	sen.Says("the old rules stay in force", 1)

	took := sen.Stop(interrupt, stopLimit)
	t.Logf("stopped within %v", took.Round(time.Millisecond))
	if !strings.Contains(sen.Text(), "missing 0 frames") {
		t.Error("the sensor misses frames, or does not say so")
	}
	sameFrames(t, "PCAP-over-IP", arrived(t, client()), want)
	kept, err := filepath.Glob(m.unix(sensorFolder) + "/*.pcapng")
	if err != nil || len(kept) == 0 {
		t.Fatalf("no files in %s, %v", sensorFolder, err)
	}
	got = nil
	for _, name := range kept { // two, at midnight
		got = append(got, arrived(t, content(t, name))...)
	}
	sameFrames(t, "[file]", got, want)
}

// startLinuxAgent runs rpcapd in the middle of the stage.
func (s *stage) startLinuxAgent() *harness.Running {
	s.t.Helper()
	dir, err := os.MkdirTemp("/run", "agent-") // everybody may look into /run
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	ini := filepath.Join(dir, "rpcapd.ini")
	if err := os.WriteFile(ini, []byte("NullAuthPermit = YES\nActiveClient = "+sensorV4+", 2003, ifname=eth0\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return harness.StartIn(s.t, s.host, nil, harness.Program(s.t, "rpcapd"), "-f", ini, "--run-dir", filepath.Join(dir, "run"))
}

// follow connects a PCAP-over-IP client. The result waits until the sensor ends the connection, and returns what came.
func (s *stage) follow(sen *harness.Running) func() []byte {
	s.t.Helper()
	var conn net.Conn
	s.sensor.Must(func() (err error) {
		conn, err = net.Dial("tcp", "127.0.0.1:57012")
		return err
	})
	type all struct {
		b   []byte
		err error
	}
	received := make(chan all, 1)
	go func() {
		defer conn.Close()
		b, err := io.ReadAll(conn)
		received <- all{b, err}
	}()
	sen.Says("client connected", 1)
	return func() []byte {
		s.t.Helper()
		select {
		case a := <-received:
			if a.err != nil {
				s.t.Errorf("PCAP-over-IP: %v", a.err)
			}
			return a.b
		case <-time.After(harness.Patience):
			s.t.Fatal("PCAP-over-IP: the connection stays open")
		}
		return nil
	}
}

// showsPage checks what the sensor says of the agent over HTTP.
func (s *stage) showsPage() {
	s.t.Helper()
	for path, want := range map[string]string{"/": exportV4, "/metrics": exportV4, "/readyz": ""} {
		var text string
		s.sensor.Must(func() error {
			conn, err := net.Dial("tcp", "127.0.0.1:8080")
			if err != nil {
				return err
			}
			dial := func(context.Context, string, string) (net.Conn, error) { return conn, nil }
			client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: harness.Patience}
			r, err := client.Get("http://127.0.0.1:8080" + path)
			if err != nil {
				return err
			}
			defer r.Body.Close()
			b, err := io.ReadAll(r.Body)
			if text = string(b); err == nil && r.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s: status %d: %s", path, r.StatusCode, text)
			}
			return err
		})
		if !strings.Contains(text, want) {
			s.t.Errorf("%s does not name %s:\n%s", path, want, text)
		}
	}
}

// TestRootSensorRefuses: what Windows does not have is refused with the reason, at the start and by check.
func TestRootSensorRefuses(t *testing.T) {
	m := newMachine(t, netlab.New(t).Namespace("analyst"))
	m.share(programs(t), "/exe")
	m.write(sensorIni, "[rule all]\r\n[tap]\r\nInterface = rpcap0\r\n")
	text, code := m.run("/", sensorProgram, "-f", sensorIni)
	if code == 0 || !strings.Contains(text, "make TAP interface rpcap0: only on Linux") {
		t.Errorf("a TAP interface: exit code %d\n%s", code, text)
	}
	m.write(sensorIni, "[rule all]\r\nFilter = tcp port 80\r\n")
	text, code = m.run("/", sensorProgram, "check", "-f", sensorIni)
	if code == 0 || !strings.Contains(text, "ini:2: [rule all] Filter: ") {
		t.Errorf("a filter without tcpdump: exit code %d\n%s", code, text)
	}
}
