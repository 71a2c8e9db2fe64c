package windows

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"rpcapd/test/harness"
)

// Where the installed program and its ini are.
const (
	servedProgram = `C:\Program Files\rpcapd\rpcapd.exe`
	servedIni     = `C:\ProgramData\rpcapd\rpcapd.ini`
)

// install copies the program to where an installation has it.
func (m *machine) install() {
	m.t.Helper()
	from, err := os.Open(programs(m.t) + "/rpcapd.exe")
	if err != nil {
		m.t.Fatal(err)
	}
	defer from.Close() // nothing was written
	m.write(servedProgram, "")
	to, err := os.Create(m.unix(servedProgram))
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		m.t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		m.t.Fatal(err)
	}
}

// until repeats a command of the program until it prints a text.
func (m *machine) until(text string, args ...string) {
	m.t.Helper()
	var out string
	for limit := time.Now().Add(harness.Patience); time.Now().Before(limit); time.Sleep(200 * time.Millisecond) {
		if out, _ = m.run("/", servedProgram, args...); strings.Contains(out, text) {
			return
		}
	}
	m.t.Fatalf("rpcapd %s: %q did not come within %v, but\n%s", strings.Join(args, " "), text, harness.Patience, out)
}

// TestRootService: the service is installed, started, stopped and removed; it forwards, takes a changed ini over, and runs again
// after the machine was switched off and on.
func TestRootService(t *testing.T) {
	s := newStage(t)
	sen := s.startSensor("[rule lab]\n")
	m := s.agentMachine()
	m.install()
	m.must("/", servedProgram, "service", "install")
	if text, code := m.run("/", servedProgram, "service", "install"); code == 0 {
		t.Errorf("installed twice:\n%s", text)
	}
	m.write(servedIni, "NullAuthPermit = YES\r\nActiveClient = "+sensorV4+", 2003, ifname=eth0\r\n")
	m.must("/", servedProgram, "service", "start")
	m.until("running", "service", "status")

	want := s.numbered(0, 1000)
	forward := func(what string, count int) {
		t.Helper()
		frames := s.numbered(len(want), count)
		want = append(want, frames...)
		s.send(frames)
		sameFrames(t, what, sen.has(len(want)), want)
	}
	want = want[:0]
	m.until("capturing", "status")
	forward("the service", 1000)

	m.write(servedIni, "NullAuthPermit = YES\r\nMaxSnaplen = 1000\r\nActiveClient = "+sensorV4+", 2003, ifname=eth0\r\n")
	m.must("/", servedProgram, "reload")

	m.must("/", servedProgram, "service", "stop")
	m.until("stopped", "service", "status")
	m.must("/", servedProgram, "service", "uninstall")
	if text, code := m.run("/", servedProgram, "service", "status"); code == 0 {
		t.Errorf("uninstalled, and still there:\n%s", text)
	}
}
