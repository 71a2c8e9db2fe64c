package system

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
)

// TestRootReload changes the ini under a running agent.
func TestRootReload(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	const (
		first  = "ActiveClient = " + sensorV4 + ", 2003, ifname=eth0\n"
		second = "ActiveClient = " + sensorV4 + ", 2003, ifname=eth1\n"
	)
	a := startAgent(t, s.host, first)
	a.capturing(1)
	sen.forwarding(1)
	kept := established(t, a)
	if len(kept) != 1 {
		t.Fatalf("connections %v, want one", kept)
	}
	s.mark(t, markBegin)
	must(t, ping(s.client, clientV4, hostV4, 5, 56))

	reload := func(ini, says string) {
		t.Helper()
		n := strings.Count(a.Text(), says)
		a.write(t, ini)
		a.Signal(syscall.SIGHUP)
		a.Says(says, n+1)
	}
	const done, refused = "configuration reloaded", "configuration has errors, the old one stays"
	// A further line, in front: the old session has another place now, and stays.
	reload("# moved\n"+second+first, done)
	a.capturing(2)
	two := established(t, a)
	if len(two) != 2 || !two[kept.any()] {
		t.Errorf("after a further line: connections %v, want two, one of them of %v", two, kept)
	}
	// Files that must change nothing.
	for _, bad := range []string{
		"ActiveClient = " + sensorV4 + ", 99999\n",
		first + "ActiveClient = , 2003, ifnmae=eth0\n",
		first + "OnClose = sometimes\n",
	} {
		reload(bad, refused)
	}
	must(t, os.Remove(a.ini))
	a.Signal(syscall.SIGHUP)
	a.Says("configuration not reloaded, the old one stays", 1)
	if now := established(t, a); !two.equals(now) {
		t.Errorf("after bad files: connections %v, want %v", now, two)
	}
	// Without the second line its session ends; the first goes on.
	reload(first, done)
	a.Await("the end of the second session", func() bool { return kept.equals(established(t, a)) })
	must(t, ping(s.client, clientV4, hostV4, 5, 56))
	s.mark(t, markEnd)

	n := 0
	for _, p := range sen.end() {
		if p.missing != 0 || p.lost != 0 {
			t.Errorf("%+v", p)
		}
		if strings.HasSuffix(p.name, "/eth0") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d captures of eth0, want one for all the time", n)
	}
	pings := 0
	for _, f := range window(t, "sensor", readFrames(t, sen.file)) {
		if strings.HasSuffix(f.from, "/eth0") && f.wire == 98 {
			pings++
		}
	}
	if pings != 20 {
		t.Errorf("%d frames of 10 pings arrived", pings)
	}
}

// connections are established TCP connections by their local port.
type connections map[uint16]bool

// any returns one of them.
func (c connections) any() (port uint16) {
	for port = range c {
		break
	}
	return port
}

func (c connections) equals(o connections) bool { return fmt.Sprint(c) == fmt.Sprint(o) }

// established returns the agent's control connections.
func established(t *testing.T, a *agent) connections {
	t.Helper()
	own := make(map[string]bool)
	for _, inode := range ownSockets(t, a.Process.Pid) {
		own[inode] = true
	}
	c := make(connections)
	for _, x := range listSockets(t, a.Process.Pid) {
		if own[x.inode] && strings.HasPrefix(x.table, "tcp") && x.remote.Port() == 2003 && strings.Fields(x.line)[3] == stateEstablished {
			c[x.local.Port()] = true
		}
	}
	return c
}

// TestRootReloadWithoutRoot has an ini below a folder that only root may enter: the
// agent, which is root no more, can still read it again.
func TestRootReloadWithoutRoot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	startSensor(t, s.sensor)
	locked := t.TempDir()
	must(t, os.Chmod(locked, 0o700))
	must(t, os.Mkdir(locked+"/etc", 0o755))
	ini := locked + "/etc/rpcapd.ini"
	line := "NullAuthPermit = YES\nActiveClient = " + sensorV4 + ", 2003, ifname=eth0\n"
	must(t, os.WriteFile(ini, []byte(line), 0o644))
	a := harness.StartIn(t, s.host, nil, harness.Program(t, "rpcapd"), "-f", ini, "--run-dir", "")
	a.Says("capture started", 1)
	must(t, os.WriteFile(ini, []byte(line+"ActiveClient = "+sensorV6+", 2003, ifname=eth0\n"), 0o644))
	a.Signal(syscall.SIGHUP)
	a.Says("configuration reloaded", 1)
	a.Says("capture started", 2)
	// As an editor does it: another file of the same name.
	must(t, os.WriteFile(ini+"~", []byte(line), 0o644))
	must(t, os.Rename(ini+"~", ini))
	a.Signal(syscall.SIGHUP)
	a.Says("configuration reloaded", 2)
	a.Says("capture ended", 1)
}

// TestRootTerminate sends frames until the very moment the agent is told to end: what it
// had captured arrives all the same, within the time that a service manager allows.
func TestRootTerminate(t *testing.T) {
	for _, format := range [][]string{nil, {"-t", "0"}, {"--tcp"}} {
		t.Run(strings.Join(append([]string{"udpstr"}, format...), " "), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			var forAgent, forSensor []string
			if len(format) == 1 {
				forSensor = format
			} else {
				forAgent = format
			}
			sen := startSensor(t, s.sensor, forSensor...)
			a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0", forAgent...)
			a.capturing(1)
			sen.forwarding(1)
			dump := startTCPDump(t, s.host, "eth0")
			s.mark(t, markBegin)
			const frames, size = 500, 100
			_, err := generate(s.client, "eth0", [6]byte(s.host.MAC("eth0")), size, 50_000, frames)
			must(t, err)
			s.mark(t, markEnd)
			took := a.Stop(syscall.SIGTERM, stopLimit)
			t.Logf("the agent ended after %v", took.Round(time.Millisecond))
			want := window(t, "tcpdump", dump.frames())
			p := one(t, sen.end())
			if p.missing != 0 || p.lost != 0 {
				t.Errorf("%+v", p)
			}
			sameFrames(t, window(t, "sensor", readFrames(t, sen.file)), want)
			if len(want) < frames+2 {
				t.Errorf("only %d frames", len(want))
			}
		})
	}
}

// TestRootTerminateUnheard ends an agent whose sensor has gone silent, or was never there.
func TestRootTerminateUnheard(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor, "--tcp")
	a := startAgent(t, s.host, strings.Join([]string{
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth0",
		"ActiveClient = 10.2.0.99, 2003, ifname=eth0", // nobody answers
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth9",
	}, "\n"))
	a.capturing(1)
	s.host.Down("eth1")
	_, err := generate(s.client, "eth0", [6]byte(s.host.MAC("eth0")), 1514, 20_000, 5000)
	must(t, err)
	took := a.Stop(syscall.SIGTERM, stopLimit)
	t.Logf("the agent ended after %v", took.Round(time.Millisecond))
	sen.Process.Kill()
}
