package system

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rpcapd/test/harness"
)

// ruleReload is a sensor with a file and an agent on eth0 of its host.
func ruleReload(t *testing.T, rules string) (*accounting, string) {
	t.Helper()
	file := ruleFile(t, rules)
	return newAccounting(t, "", nil, "-f", file), file
}

// reload replaces the file and waits until the sensor has taken it over, or refused it.
func (s *sensor) reload(t *testing.T, file, rules, says string) {
	t.Helper()
	n := strings.Count(s.Text(), says)
	must(t, overwrite(file, rules))
	s.Signal(syscall.SIGHUP)
	s.Says(says, n+1)
}

const (
	rulesReloaded = "rules reloaded"
	rulesStay     = "the old rules stay in force"
)

// TestRootReloadFilterUnderTraffic replaces the filter of a rule again and again while numbered frames come in. Both
// filters accept them, so each must arrive, in one capture, and the numbers of both ends add up.
func TestRootReloadFilterUnderTraffic(t *testing.T) {
	harness.Tool(t, "tcpdump")
	const size, reloads = 300, 12
	frames, rate := steadyLoad(t)
	rule := func(filter string) string { return "[rule lab]\nInterface = eth0\nFilter = " + filter + "\n" }
	x, file := ruleReload(t, rule("len > 0"))
	var sending sync.WaitGroup
	sending.Go(func() { x.send(t, size, rate, frames) })
	for i := range reloads {
		n := i + 1
		x.sensor.reload(t, file, rule(fmt.Sprintf("len > %d", n)), rulesReloaded)
		x.sensor.Says("filter replaced", n)
	}
	x.sensor.reload(t, file, rule("len >"), rulesStay)
	x.sensor.reload(t, file, "[rule lab]\nSnaplen = x\n", rulesStay)
	sending.Wait()
	n := settle(t, x.agent, x.sensor)
	n.check(t)
	if got := n.numbered(t, size); got != int(frames) {
		t.Errorf("%d of %d frames arrived", got, frames)
	}
	if c := strings.Count(x.agent.Text(), "capture started"); c != 1 || n.sensor.missing != 0 {
		t.Errorf("%d captures, %+v", c, n.sensor)
	}
}

// TestRootReloadFilterChooses: what the new filter refuses is not forwarded any more, what it accepts is.
func TestRootReloadFilterChooses(t *testing.T) {
	t.Parallel()
	harness.Tool(t, "tcpdump")
	s := newStage(t)
	rule := func(filter string) string { return "[rule lab]\nInterface = eth0\nFilter = " + filter + "\n" }
	file := ruleFile(t, rule("icmp and len = 82"))
	sen := startSensor(t, s.sensor, "-f", file)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003")
	a.capturing(1)
	sen.forwarding(1)
	pings := func() {
		must(t, ping(s.client, clientV4, hostV4, 3, 40))
		must(t, ping(s.client, clientV4, hostV4, 3, 60))
	}
	pings()
	sen.reload(t, file, rule("icmp and len = 102"), rulesReloaded)
	sen.Says("filter replaced", 1)
	pings()
	p := one(t, sen.end())
	if p.frames != 12 || p.missing != 0 || p.captured != 12 || !strings.HasSuffix(p.tail, "known") {
		t.Errorf("%+v", p)
	}
	var order []int
	for _, f := range readFrames(t, sen.file) {
		order = append(order, f.wire)
	}
	if got, want := fmt.Sprint(order), fmt.Sprint([]int{82, 82, 82, 82, 82, 82, 102, 102, 102, 102, 102, 102}); got != want {
		t.Errorf("frames of %s bytes, want %s", got, want)
	}
}

// TestRootReloadRemovesRule: the capture ends in order and the agent stays connected without dialing again; when the rule
// comes back it is used on the same connection. A rule on a new port is served.
func TestRootReloadRemovesRule(t *testing.T) {
	const size = 300
	frames, rate := uint64(5000), 50_000
	if !severalUsers(t) {
		frames, rate = accountingLoad(t)
	}
	const first = "[rule lab]\nInterface = eth0\n"
	const other = "[rule elsewhere]\nInterface = eth0\nAllowAgents = 192.0.2.0/24\n"
	x, file := ruleReload(t, first)
	before := established(t, x.agent)
	x.send(t, size, rate, frames)
	x.sensor.reload(t, file, other, rulesReloaded)
	x.sensor.Says("forwarding ends: the rule was removed", 1)
	x.agent.Says("no rule of this port allows its address any more", 1)
	x.agent.Await("the end of the capture", func() bool {
		c := x.agent.session().Capture
		return c != nil && !c.Running
	})
	c := x.agent.session().Capture.counters
	x.send(t, size, rate, frames) // nobody wants these
	x.sensor.reload(t, file, first+"[rule more]\nPort = 2010\n", rulesReloaded)
	x.agent.capturing(2)
	x.sensor.forwarding(2)
	if now := established(t, x.agent); !before.equals(now) {
		t.Errorf("the agent has dialed again: %v, before %v", now, before)
	}
	x.send(t, size, rate, frames)
	p := one(t, x.sensor.end())
	if c.Packed < frames || p.missing != 0 || p.frames != p.captured || p.frames < 2*frames || p.frames > 2*frames+100 ||
		!strings.Contains(p.head, "2 captures") {
		t.Errorf("first capture %+v\nboth %+v", c, p)
	}
}
