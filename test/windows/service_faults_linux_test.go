package windows

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestRootServiceFaults: what is wrong is told and leaves nothing behind. An ini with errors is refused at the installation and
// ends a service with an exit code; a service that runs is not started again, nor is an agent with its ini; a killed one is no
// running one. The path of the ini has blanks and other letters, and its text is UTF-16.
func TestRootServiceFaults(t *testing.T) {
	m := newStage(t).agentMachine()
	const ini = `C:\Prögram Data\my rpcapd.ini`
	m.write(ini, "ActiveClient =\n")
	says := func(want int, text string, args ...string) {
		t.Helper()
		out, code := m.run("/", agentProgram, args...)
		if code != want || !strings.Contains(out, text) {
			t.Errorf("rpcapd %s: exit code %d, want %d and %q:\n%s", strings.Join(args, " "), code, want, text, out)
		}
	}
	// A program that runs keeps wine from ending its services for want of anything to do.
	m.start("/", agentProgram, "-n", "-a", "127.0.0.1,9", "--run-dir", `C:\second`).Says("agent started", 1)
	says(1, "nothing is installed, because the ini has errors:\n"+ini+":1: ActiveClient: empty value", "service", "install", "-f", ini)
	says(2, `account "Bob": it is LocalService`, "service", "install", "--account", "Bob")
	says(2, "unknown flag: --bogus", "service", "install", "--", "--bogus")
	says(2, "-f: give the ini before the --", "service", "install", "-f", ini, "--", "-f", ini)
	says(3, "the service is not installed", "service", "status")
	says(1, "only the service manager can run this", "service", "run", "-f", ini)

	m.writeUTF16(ini, "NullAuthPermit = YES\r\nActiveClient = 127.0.0.1, 1\r\n")
	const options = `C:\Prögram Data\my rpcapd.options`
	m.write(options, "-z 32M\r\n")
	says(1, options+`:1: "-z 32M" is not understood; write RPCAPD_OPTIONS=`, "service", "install", "-f", ini)
	m.write(options, "RPCAPD_OPTIONS=\"--bogus\"\r\n")
	says(2, options+": unknown flag: --bogus", "service", "install", "-f", ini)
	says(0, "is installed, with "+ini, "service", "install", "-f", ini, "--", "-z", "32M")
	if text := m.read(options); text != "#RPCAPD_OPTIONS=\"--bogus\"\nRPCAPD_OPTIONS=\"-z 32M\"\n" {
		t.Errorf("options:\n%s", text)
	}
	says(3, "-z 32M  ("+options+")", "service", "status")
	says(1, "it is installed already", "service", "install", "-f", ini)
	says(0, "the service runs, process", "service", "start")
	says(0, "the service runs already, process", "service", "start")
	says(0, "127.0.0.1:1  (line 2)", "status")
	says(1, "another agent already uses it", "-f", ini, "--run-dir", `C:\third`)
	m.write(ini, "NullAuthPermit = YES\nActiveClient = 127.0.0.1, 99999\n")
	says(1, "keeps its old configuration:\n"+ini+":2: ", "reload")
	m.write(ini, "NullAuthPermit = YES\nActiveClient = 127.0.0.1, 2\n")
	says(0, "1 session\n", "reload")
	says(0, "127.0.0.1:2  (line 2)", "status")

	pid := strings.TrimSpace(m.must("/", agentProgram, "status", "--pid"))
	if out, code := m.run("/", "taskkill", "/f", "/pid", pid); code != 0 {
		t.Fatalf("taskkill: %d\n%s", code, out)
	}
	says(3, "no agent is running", "status")
	m.write(ini, "Colour = red\n")
	says(1, "it ended with exit code 1; the reason is in the event log", "service", "start")
	says(3, "it ended with exit code 1", "service", "status")
	says(0, "is removed", "service", "uninstall")
}

// writeUTF16 writes a text as PowerShell does: little endian, with a byte-order mark.
func (m *machine) writeUTF16(path, text string) {
	m.t.Helper()
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	name := m.unix(path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		m.t.Fatal(err)
	}
}
