package windows

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	b, err := os.ReadFile(filepath.Join(programs(m.t), "rpcapd.exe"))
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(servedProgram, string(b))
}

// until repeats a command of the installed program until it prints a text.
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

// crash ends the process of the service as the end of a program in the middle of its work does.
func (m *machine) crash() {
	m.t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		m.t.Fatal(err)
	}
	for _, name := range lines {
		line, _ := os.ReadFile(name) // it may have ended
		root, _ := os.Readlink(filepath.Join(filepath.Dir(name), "root"))
		if root != m.root || !bytes.Contains(line, []byte("service\x00run\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			m.t.Fatal(err)
		}
		return
	}
	m.t.Fatal("no process of the service")
}

// TestRootService: the service is installed once, started, stopped and removed. It forwards; it takes a changed ini over; it can
// be started again after its process was killed, and after the machine was switched off and on.
func TestRootService(t *testing.T) {
	s := newStage(t)
	sen := s.startSensor("[rule lab]\n")
	m := s.agentMachine()
	m.install()
	m.switchOn()
	served := func(args ...string) string { return m.must("/", servedProgram, args...) }
	t.Logf("install:\n%s", served("service", "install"))
	t.Logf("registry:\n%s", m.must("/", "reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\rpcapd`))
	t.Logf("registry:\n%s", m.must("/", "reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\rpcapd`))
	if text, code := m.run("/", servedProgram, "service", "install"); code == 0 {
		t.Errorf("installed twice:\n%s", text)
	}
	const ini = "NullAuthPermit = YES\r\nActiveClient = " + sensorV4 + ", 2003, ifname=eth0\r\n"
	m.write(servedIni, ini)
	served("service", "start")
	m.until("running", "service", "status")
	t.Logf("status:\n%s", served("service", "status"))

	var want [][]byte
	forwards := func(when string) {
		t.Helper()
		m.until("capturing", "status")
		frames := s.numbered(len(want), 500)
		want = append(want, frames...)
		s.send(frames)
		sameFrames(t, when, sen.has(len(want)), want)
	}
	forwards("started")
	m.write(servedIni, ini+"MaxSnaplen = 9000\r\n")
	served("reload")
	forwards("reloaded")
	m.write(servedIni, "Colour = red\r\n")
	if text, code := m.run("/", servedProgram, "reload"); code == 0 || !strings.Contains(text, "Colour: unknown key") {
		t.Errorf("a bad ini: exit code %d\n%s", code, text)
	}
	m.write(servedIni, ini)

	m.crash()
	m.until("stopped", "service", "status") // wine does not start it again, as Windows does after a second
	served("service", "start")
	forwards("started after a crash")

	if text := served("service", "stop"); !strings.Contains(text, "the service is stopped") {
		t.Error(text)
	}
	m.until("stopped", "service", "status")
	served("service", "uninstall")
	m.until("not installed", "service", "status")
	if _, err := os.Stat(m.unix(servedIni)); err != nil {
		t.Errorf("the ini is gone: %v", err)
	}

	served("service", "install") // and not removed again: for two minutes, wine keeps what it is to start with a delay
	m.switchOff()
	m.switchOn()
	if text, _ := m.run("/", servedProgram, "service", "status"); !strings.Contains(text, "automatic, delayed") {
		t.Errorf("after the machine was switched on:\n%s", text)
	}
	served("service", "start") // two minutes before wine does it
	forwards("after the machine was switched on")
}
