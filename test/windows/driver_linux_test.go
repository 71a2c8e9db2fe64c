package windows

import (
	"debug/pe"
	"encoding/binary"
	"os"
	"strings"
	"syscall"
	"testing"

	"rpcapd/test/harness"
)

const systemFolder = `C:\windows\system32\`

// TestRootDriver: each fault of a capture driver has its own text. An agent without one runs, tells what to install, and
// captures when a driver has come. An adapter that was removed is waited for.
func TestRootDriver(t *testing.T) {
	s := newStage(t)
	m := s.agentMachine()
	driver := m.read(systemFolder + "wpcap.dll")
	if err := os.Remove(m.unix(systemFolder + "wpcap.dll")); err != nil {
		t.Fatal(err)
	}
	wrong := []byte(m.read(systemFolder + "version.dll"))
	binary.LittleEndian.PutUint16(wrong[binary.LittleEndian.Uint32(wrong[0x3c:])+4:], pe.IMAGE_FILE_MACHINE_I386)
	for _, x := range []struct{ what, library, says string }{
		{"32 bits", string(wrong), "it is damaged, or made for another processor than this program (amd64)"},
		{"no library", "MZ", "it is damaged, or made for another processor than this program (amd64)"},
	} { // in the place of any other library wine loads its own; the tests of capture have one that lacks functions

		m.write(systemFolder+`Npcap\wpcap.dll`, x.library)
		text := m.must("/", agentProgram, "interfaces")
		t.Logf("%s:\n%s", x.what, text)
		for _, want := range []string{"no capture driver: install Npcap (https://npcap.com)", `\Npcap\wpcap.dll: ` + x.says, `system32\wpcap.dll: it, or a library that it needs, is not there`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", x.what, want)
			}
		}
	}
	if err := os.RemoveAll(m.unix(systemFolder + "Npcap")); err != nil {
		t.Fatal(err)
	}

	m.write(agentIni, "\ufeffNullAuthPermit = YES\r\nActiveClient = "+sensorV4+", 2003, ifname=eth0\r\n") // with a byte-order mark
	a := m.start("/", agentProgram, "-f", agentIni, "--run-dir", agentRunDir)
	a.Says("no capture driver: install Npcap", 1)
	m.write(systemFolder+"wpcap.dll", driver)
	a.Says("INFO\tagent\tcapture driver\t", 1)
	sen := s.startSensor("[rule lab]\nFilter = ether proto 0x88b5\n")
	a.Says("capture started", 1)
	want := s.numbered(0, 100)
	s.send(want)
	sameFrames(t, "after a driver has come", sen.has(len(want)), want)

	s.host.Delete("eth0")
	a.Says("interface of a capture changed", 1)
	s.connectClient()
	a.Await("the adapter that is back", func() bool { // below wine another one has another GUID, so the agent dials again
		text := a.Text()
		return strings.Count(text, "interface of a capture changed") > 1 || strings.Count(text, "capture started") > 1
	})
	more := s.numbered(len(want), 100)
	s.send(more)
	want = append(want, more...)
	sameFrames(t, "after the adapter is back", sen.has(len(want)), want)
	t.Logf("agent:\n%s", a.Text())
	a.Stop(interrupt, stopLimit)
	sen.Stop(syscall.SIGTERM, harness.Patience)
}
