package system

import (
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"rpcapd/test/netlab"
)

// running waits until an interface can send: the kernel notices a carrier in its own time.
func running(t *testing.T, n *netlab.Namespace, name string) {
	t.Helper()
	for limit := time.Now().Add(patience); n.Link(name).Attrs().OperState != netlink.OperUp; time.Sleep(poll) {
		if time.Now().After(limit) {
			t.Fatalf("%s: %s has no carrier", n.Name, name)
		}
	}
}

// event waits for the n-th event of a kind that the agent reports of its interface.
func (a *agent) event(kind string, n int) {
	a.T.Helper()
	a.Await("event "+kind, func() bool {
		found := 0
		for line := range strings.Lines(a.Text()) {
			if strings.Contains(line, "interface of a capture changed") && strings.Contains(line, `"`+kind+`"`) {
				found++
			}
		}
		return found >= n
	})
}

// TestRootInterfaceComesAndGoes takes the captured interface down and up, deletes it and
// makes another of the same name: it stays one capture, whose numbers go on.
func TestRootInterfaceComesAndGoes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	sen.forwarding(1)
	const rounds = 3
	pings := func() { must(t, ping(s.client, clientV4, hostV4, rounds, 400)) }
	pings()

	s.host.Down("eth0")
	a.event("interface down", 1)
	s.host.Up("eth0")
	running(t, s.host, "eth0")
	running(t, s.client, "eth0")
	a.event("interface up", 1)
	pings()

	s.host.Delete("eth0")
	a.event("interface deleted", 1)
	s.lab.Veth(s.client, "eth0", s.host, "eth0")
	a.event("interface back", 1)
	address(s.client, "eth0", clientV4, clientV6)
	address(s.host, "eth0", hostV4, hostV6)
	pings()

	if n := strings.Count(a.Text(), "capture started"); n != 1 {
		t.Errorf("%d captures, want one", n)
	}
	p := one(t, sen.end())
	if p.missing != 0 || p.lost != 0 || p.captured != p.frames {
		t.Errorf("%+v", p)
	}
	got := 0
	for _, f := range readFrames(t, sen.file) {
		if f.wire == 14+20+8+400 {
			got++
		}
	}
	if got != 3*2*rounds {
		t.Errorf("%d frames of the pings, want %d: before, between and after", got, 3*2*rounds)
	}
}

// TestRootWaitingLine has a line whose interface does not exist: the sensor is not dialed
// before it does, and then at once.
func TestRootWaitingLine(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	startSensor(t, s.sensor)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth9")
	a.Says("waiting for the interface of this line to appear", 1)
	time.Sleep(300 * time.Millisecond)
	if c := established(t, a); len(c) != 0 {
		t.Errorf("it has connected though eth9 does not exist: %v", c)
	}
	s.lab.Veth(s.client, "eth9", s.host, "eth9")
	a.capturing(1)
	a.Await("eth9 in the status", func() bool {
		c := a.session().Capture
		return c != nil && c.Interface == "eth9"
	})
}

// TestRootAddressMoves moves the address of an ifaddr line to another interface: the
// session ends and is dialed again for that one.
func TestRootAddressMoves(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	s.lab.Veth(s.client, "eth2", s.host, "eth2")
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifaddr=10.1.0.0/24")
	a.capturing(1)
	must(t, ping(s.client, clientV4, hostV4, 2, 56))

	s.host.DelAddr("eth0", hostV4+"/24")
	s.client.DelAddr("eth0", clientV4+"/24")
	time.Sleep(100 * time.Millisecond)
	if n := strings.Count(a.Text(), "dialing again"); n != 0 {
		t.Errorf("the session ended though the address is nowhere else")
	}
	s.host.AddAddr("eth2", hostV4+"/24")
	s.client.AddAddr("eth2", clientV4+"/24")
	a.Says("ifaddr=10.1.0.0/24 is on interface eth2 now", 1)
	a.capturing(2)
	sen.forwarding(2)
	must(t, ping(s.client, clientV4, hostV4, 2, 56))
	a.Await("eth2 in the status", func() bool {
		x := a.session()
		return x.Capture != nil && x.Capture.Interface == "eth2" && x.Connects == 2
	})
	names := map[string]bool{}
	for _, p := range sen.end() {
		names[p.name] = true
		if p.missing != 0 || p.frames < 4 {
			t.Errorf("%+v", p)
		}
	}
	if !names[exportV4+"/eth0"] || !names[exportV4+"/eth2"] {
		t.Errorf("the sensor knows %v", names)
	}
}
