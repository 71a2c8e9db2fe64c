package windows

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
)

// Where rpcapd.exe and its files are in these tests: a path with blanks, as users have them.
const (
	agentProgram = `Z:\exe\rpcapd.exe`
	agentIni     = `C:\rpcapd test\rpcapd.ini`
	agentRunDir  = `C:\rpcapd test\run`
)

// agentMachine is a machine in the middle of the stage.
func (s *stage) agentMachine() *machine {
	s.t.Helper()
	m := newMachine(s.t, s.host)
	m.share(programs(s.t), "/exe")
	return m
}

// TestRootInterfaces: the list has all names of an interface, and its addresses.
func TestRootInterfaces(t *testing.T) {
	s := newStage(t)
	m := s.agentMachine()
	text := m.must("/", agentProgram, "interfaces")
	t.Logf("rpcapd interfaces:\n%s", text)
	for _, want := range []string{`\\Device\\NPF_\{[-0-9A-Fa-f]{36}\}`, `\beth0\b`, `\beth1\b`, regexp.QuoteMeta(hostV4 + "/24"), regexp.QuoteMeta(exportV4 + "/24")} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestRootAgent: rpcapd.exe forwards ten thousand frames, byte for byte and in order; it takes another filter; its capture ends and
// another begins on the same connection; and on an idle link it stops when it is asked to.
func TestRootAgent(t *testing.T) {
	harness.Tool(t, "tcpdump")
	s := newStage(t)
	const rule = "[rule lab]\nFilter = ether proto 0x88b5"
	sen := s.startSensor(rule + "\n")
	m := s.agentMachine()
	m.write(agentIni, "NullAuthPermit = YES\r\nActiveClient = "+sensorV4+", 2003, ifname=eth0\r\n")
	a := m.start("/", agentProgram, "-f", agentIni, "--run-dir", agentRunDir)
	a.Says("capture started", 1)

	const many = 10_000
	want := s.numbered(0, many)
	begin := time.Now()
	s.send(want)
	got := sen.has(many)
	t.Logf("%d frames arrived within %v", len(got), time.Since(begin).Round(time.Millisecond))
	sameFrames(t, "all frames", got, want)

	reload := func(ini, says string) {
		t.Helper()
		n := strings.Count(sen.Text(), says)
		sen.write(ini)
		sen.Signal(syscall.SIGHUP)
		sen.Says(says, n+1)
	}
	reload(rule+" and greater 1000\n", "filter replaced")
	more := s.numbered(many, 200)
	s.send(more)
	for _, f := range more {
		if len(f) >= 1000 {
			want = append(want, f)
		}
	}
	if len(want) == many || len(want) == many+len(more) {
		t.Fatal("the filter chooses nothing")
	}
	sameFrames(t, "after another filter", sen.has(len(want)), want)

	reload("[rule other]\nAllowAgents = 192.0.2.0/24\n", "forwarding ends: the rule was removed")
	a.Says("no rule of this port allows its address any more", 1)
	s.send(s.numbered(20_000, 20)) // nobody wants these
	reload(rule+"\n", "rules reloaded")
	a.Says("capture started", 2)
	last := s.numbered(30_000, 100)
	s.send(last)
	want = append(want, last...)
	sameFrames(t, "after another capture", sen.has(len(want)), want)
	if n := strings.Count(a.Text(), "\tconnected\t"); n != 1 {
		t.Errorf("%d connections, want one for both captures", n)
	}

	took := a.Stop(interrupt, stopLimit)
	t.Logf("stopped on an idle link within %v", took.Round(time.Millisecond))
	sen.Stop(syscall.SIGTERM, harness.Patience)
	sameFrames(t, "in the end", arrived(t, content(t, sen.file)), want)
	if !strings.Contains(sen.Text(), "missing 0 frames") {
		t.Errorf("the sensor misses frames, or does not say so")
	}
}

// stopLimit is what a program may take to stop: two seconds, and what wine and a busy machine add.
const stopLimit = 10 * time.Second
