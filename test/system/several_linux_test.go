package system

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// TestRootSeveralInterfaces has one line for all cap* of a host where such interfaces come, are renamed, get an alternative name
// and go. Each has a session with frames of its own, the sensor shows the agent's Name, and no frame is lost or comes twice.
func TestRootSeveralInterfaces(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	// A host address on each side of a cable, so that a ping of it passes that one and no other.
	cable := func(n int, name string) {
		s.lab.Veth(s.client, name, s.host, name)
		s.client.AddAddr(name, fmt.Sprintf("10.7.%d.1/24", n))
		s.host.AddAddr(name, fmt.Sprintf("10.7.%d.2/24", n))
	}
	const each = 5
	pings := func(n int) {
		must(t, ping(s.client, fmt.Sprintf("10.7.%d.1", n), fmt.Sprintf("10.7.%d.2", n), each, 300+n))
	}
	a := startAgent(t, s.host, "Name = probe;1%%\nMaxSessions = 3\nIgnoreInterfaces = capx*\nActiveClient = "+sensorV4+", 2003, ifname=cap*/altname-*/!cap9")
	a.Await("the line in the status", func() bool { return strings.Contains(a.Text(), "agent started") })

	cable(0, "cap0")
	cable(1, "cap1")
	cable(8, "capx8") // ignored
	cable(9, "cap9")  // left out
	sen.forwarding(2)
	a.capturing(2)
	for _, n := range []int{0, 1, 8, 9} {
		pings(n)
	}

	// Another interface gets a name that matches, and a further one is beyond MaxSessions.
	s.host.Must(func() error { return netlink.LinkAddAltName(s.host.Link("eth0"), "altname-of-more-than-fifteen-bytes") })
	sen.forwarding(3)
	must(t, ping(s.client, clientV4, hostV4, each, 77))
	cable(2, "cap2")
	a.Says("more than MaxSessions allows", 1)
	pings(2) // nobody has it yet

	// One goes: its frames are there, and the refused one has its place.
	s.host.Delete("cap1")
	sen.forwarding(4)
	pings(2)
	// One is renamed: it is another interface for the sensor.
	s.host.Must(func() error { return netlink.LinkSetName(s.host.Link("cap0"), "cap7") })
	sen.forwarding(5)
	pings(0)

	s.host.Must(func() error { return netlink.LinkSetName(s.host.Link("cap7"), "other") })
	a.Await("the session of cap7 has ended", func() bool { return strings.Count(a.Text(), "session ended") >= 3 })
	a.Stop(syscall.SIGTERM, patience)
	var names []string
	for _, p := range sen.end() {
		names = append(names, p.name)
		if p.missing != 0 || p.lost != 0 || p.captured != p.frames {
			t.Errorf("%+v", p)
		}
	}
	slices.Sort(names)
	want := []string{"probe;1%/cap0", "probe;1%/cap1", "probe;1%/cap2", "probe;1%/cap7", "probe;1%/eth0"}
	if !slices.Equal(names, want) {
		t.Errorf("the sensor knows %q, want %q", names, want)
	}
	got := make(map[int]int)
	for _, f := range readFrames(t, sen.file) {
		got[f.wire-14-20-8]++
	}
	for size, frames := range map[int]int{300: 4 * each, 301: 2 * each, 302: 2 * each, 308: 0, 309: 0, 77: 2 * each} {
		if got[size] != frames {
			t.Errorf("%d frames of %d bytes, want %d", got[size], size, frames)
		}
	}
}
