package health

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rpcapd/numbers"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// TestProblems: each fault is said in plain words, with the place, the number and a cure, while it is fresh.
func TestProblems(t *testing.T) {
	start := time.Now()
	for name, tc := range map[string]struct {
		wreck    func(f *fakeSensor, p *status.Peer)
		severity Severity
		want     string
		stays    bool // it is a state, not an event
	}{
		"receive-buffer": {func(f *fakeSensor, _ *status.Peer) { f.ports[0].KernelDrops += 12345 }, SeverityError, "receive buffer dropped 12,345 datagrams on port 2003", false},
		"small-buffer": {func(f *fakeSensor, _ *status.Peer) {
			f.ports[0].ReceiveBufferAsked, f.ports[0].ReceiveBuffer = 32<<20, 212992
		}, SeverityWarning, "a receive buffer of 208 KiB; the sensor asked for 32,768 KiB", true},
		"foreign":      {func(f *fakeSensor, _ *status.Peer) { f.ports[0].Foreign++ }, SeverityInfo, "1 datagram on port 2003 belonged to no capture", false},
		"output-drops": {func(f *fakeSensor, _ *status.Peer) { f.sinks[0].Dropped += 5 }, SeverityError, "Output all dropped 5 frames", false},
		"output-failed": {func(f *fakeSensor, _ *status.Peer) {
			f.sinks[0].State, f.sinks[0].Error = sink.Failed, "no space"
		}, SeverityError, "Output all has failed: no space", true},
		"output-degraded": {func(f *fakeSensor, _ *status.Peer) {
			f.sinks[0].State, f.sinks[0].Error = sink.Degraded, "one file"
		}, SeverityWarning, "works only in part: one file", true},
		"refused": {func(f *fakeSensor, _ *status.Peer) { f.counters.Refused += 1000; f.counters.Unwanted += 1000 }, SeverityWarning, "1,000 connections were turned away: no rule", false},
		"agent-ring": {func(_ *fakeSensor, p *status.Peer) {
			p.Forwarded.KernelDropped += 100
			p.Forwarded.Received += 1000
		}, SeverityError, "web1/eth0 drops frames in its ring: 100, 10 % of", false},
		"agent-interface": {func(_ *fakeSensor, p *status.Peer) { p.Forwarded.InterfaceDropped++ }, SeverityError, "loses 1 frame in its network card", false},
		"path-loss":       {func(_ *fakeSensor, p *status.Peer) { p.Received.Missing += 3; p.Received.Frames += 997 }, SeverityError, "lost 3 frames between agent and sensor, 0.30 %", false},
		"late":            {func(_ *fakeSensor, p *status.Peer) { p.Received.Late++ }, SeverityWarning, "1 datagram that came too late", false},
		"disowned": {func(_ *fakeSensor, p *status.Peer) {
			p.Disowned, p.DisownedSource = 1, netip.MustParseAddrPort("10.0.0.2:666")
		}, SeverityWarning, "another sender, 10.0.0.2:666: 1 frame of it went out", false},
		"rebound":    {func(_ *fakeSensor, p *status.Peer) { p.Rebound++ }, SeverityInfo, "a NAT on the way changed it, 1 time", false},
		"malformed":  {func(_ *fakeSensor, p *status.Peer) { p.Received.Malformed++ }, SeverityWarning, "1 datagram that cannot be read", false},
		"duplicate":  {func(_ *fakeSensor, p *status.Peer) { p.Received.Duplicate += 50 }, SeverityInfo, "50 datagrams twice", false},
		"reconnects": {func(_ *fakeSensor, p *status.Peer) { p.Reconnects += 4; p.LastError = "reset" }, SeverityWarning, "reconnected 4 times lately; last error: reset", false},
		"clock":      {func(_ *fakeSensor, p *status.Peer) { p.ClockKnown, p.ClockOffset = true, -3200*time.Millisecond }, SeverityWarning, "3.2 s behind the sensor's", true},
		"held": {func(_ *fakeSensor, p *status.Peer) {
			p.State, p.Reason = status.StateHeld, "no interface of the agent is allowed"
		}, SeverityWarning, "is held and forwards nothing: no interface of the agent is allowed.", true},
		"impaired": {func(_ *fakeSensor, p *status.Peer) {
			p.Reason, p.Cause = "the old filter stays in force", status.CauseFilterRefused
		}, SeverityWarning, "web1/eth0 is running, but: the old filter stays in force.", true},
		"left": {func(_ *fakeSensor, p *status.Peer) {
			p.State, p.Reason, p.Cause = status.StateEnded, "connection reset", status.CauseConnection
		}, SeverityWarning, "has left 0 s ago: connection reset.", false},
		"unaccounted": {func(_ *fakeSensor, p *status.Peer) {
			p.Unaccounted, p.UnaccountedSince, p.LastArrival = 1234, start, start.Add(-5*time.Second)
		}, SeverityError, "captured 1,234 frames that have neither arrived nor are known to be lost; the last datagram came 25 s ago.", true},
		"super-packets":   {func(_ *fakeSensor, p *status.Peer) { p.NoSegmentation = true }, SeverityWarning, "asked to send single datagrams", true},
		"nothing-arrives": {func(_ *fakeSensor, p *status.Peer) { p.Received = status.Received{} }, SeverityError, "captured 400 frames, and none has arrived on UDP port 2003", true},
	} {
		f := newFake()
		f.peers = []status.Peer{running("web1", 400, start)}
		f.ports = []status.Port{{Port: 2003, Streams: 1}}
		f.sinks = []sink.Status{{Name: "all", State: sink.Running}}
		f.counters.Accepted = 1
		tr := newTracker(f, "", start)
		f.peers[0].Since = start.Add(-time.Hour)
		if v := tr.look(start); len(v.problems) != 0 {
			t.Fatalf("%s: before it %+v", name, v.problems)
		}
		tc.wreck(f, &f.peers[0])
		list := tr.look(start.Add(20 * time.Second)).problems
		if len(list) != 1 || list[0].Kind != name || list[0].Severity != tc.severity || !strings.Contains(list[0].Text, tc.want) || len(list[0].Cure) < 20 {
			t.Errorf("%s: %+v, want %q", name, list, tc.want)
		}
		var later []Problem
		for i := range 15 {
			later = tr.look(start.Add(time.Duration(i+1) * time.Minute)).problems
		}
		if got := len(later) == 1; got != tc.stays {
			t.Errorf("%s: after 15 minutes %+v", name, later)
		}
	}
}

// TestCures: what helps depends on the cause, whatever the words of the reason are, and the port's other transport is never
// offered without its ports.
func TestCures(t *testing.T) {
	start := time.Now()
	said := make(map[string]status.Cause)
	for cause, want := range map[status.Cause][]string{
		status.CausePassword:      {"User and Password of [rule default]", "Account", "rpcapd passwd"},
		status.CauseNullAuth:      {"NullAuthPermit = YES", "[rule default]"},
		status.CauseDataPort:      {"TCP", "[data]", "firewall", "Transport = udp"},
		status.CauseFilter:        {"Filter of [rule default]", "tcpdump"},
		status.CauseFilterRefused: {"Filter of [rule default] shorter", "networks"},
		status.CauseInterfaceDown: {"ip link set eth0 up"},
		status.CauseInterface:     {"agent's log", "CAP_NET_RAW"},
		status.CauseNoInterface:   {"Interface, Address", "ifname, ifaddr"},
		status.CauseAddress:       {"AllowAgents"},
		status.CauseTooMany:       {"Ports in [data]", "SessionsPerAddress"},
		status.CauseProtocol:      {"-t 0", "TLS"},
		status.CauseConnection:    {"rpcapd status", "path"},
		status.CauseOther:         {"agent's log"},
	} {
		for _, state := range []status.State{status.StateHeld, status.StateEnded, status.StateRunning} {
			f := newFake()
			p := running("web1", 5, start)
			p.State, p.Reason, p.Cause = state, "the words of the reason", cause
			f.peers = []status.Peer{p}
			list := newTracker(f, "", start).look(start.Add(time.Second)).problems
			if len(list) != 1 || !strings.Contains(list[0].Text, "the words of the reason.") {
				t.Errorf("%s, %s: %+v", cause, state, list)
				continue
			}
			for _, w := range want {
				if !strings.Contains(list[0].Cure, w) {
					t.Errorf("%s, %s: %q has no %q", cause, state, list[0].Cure, w)
				}
			}
			if other, ok := said[list[0].Cure]; ok && other != cause {
				t.Errorf("%s and %s have the same cure", cause, other)
			}
			said[list[0].Cure] = cause
		}
	}
	f := newFake()
	f.peers = []status.Peer{running("web1", 5, start)} // an agent of another make may hold so few back
	f.peers[0].Received = status.Received{}
	if list := newTracker(f, "", start).look(start.Add(time.Minute)).problems; len(list) != 0 {
		t.Errorf("a few frames are held: %+v", list)
	}
	f.peers = []status.Peer{running("web1", 500, start)}
	f.peers[0].Received = status.Received{}
	list := newTracker(f, "", start).look(start.Add(time.Minute)).problems
	if len(list) != 1 || !strings.Contains(list[0].Cure, "let TCP to the data ports through") {
		t.Errorf("nothing arrives: %+v", list)
	}
}

// TestFirstSeconds: what happens before anybody looks is said at the first look, and so is what a port, an output or a
// peer that has come since then has lost; what was counted before the tracker began is not.
func TestFirstSeconds(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.counters = status.Counters{Accepted: 9, Refused: 9, Unwanted: 4}
	f.ports = []status.Port{{Port: 2003, Foreign: 5, KernelDrops: 5}}
	f.sinks = []sink.Status{{Name: "old", State: sink.Running}}
	f.sinks[0].Dropped = 5
	tr := newTracker(f, "", start)
	f.counters.Accepted, f.counters.Refused, f.counters.Unwanted = 12, 12, 5
	f.ports = append(f.ports, status.Port{Port: 2004, KernelDrops: 7})
	f.sinks = append(f.sinks, sink.Status{Name: "new", State: sink.Running})
	f.sinks[1].Dropped = 8
	gone := ended(running("gone", 100, start.Add(time.Millisecond)), 1)
	gone.Received.Missing = 9
	f.peers = []status.Peer{gone}
	got := make(map[string]uint64)
	for _, p := range tr.look(start.Add(time.Second)).problems {
		got[p.Kind+" "+strings.Fields(p.Cure)[0]] = p.Count
	}
	want := map[string]uint64{"refused Add": 1, "refused Raise": 2, "receive-buffer Raise": 7, "output-drops The": 8, "path-loss Look": 9}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestNobodyYet(t *testing.T) {
	list := newTracker(newFake(), "", time.Now()).look(time.Now()).problems
	if len(list) != 1 || list[0].Kind != "no-agents" || !strings.Contains(list[0].Cure, "ActiveClient = ADDRESS-OF-THIS-SENSOR, 2003 and NullAuthPermit = YES") {
		t.Errorf("%+v", list)
	}
}

// TestManyWithTheSameProblem: a thousand agents do not make a thousand lines, and the cause comes first.
func TestManyWithTheSameProblem(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.ports = []status.Port{{Port: 2003}}
	tr := newTracker(f, "", start)
	for i := range 1000 {
		f.peers = append(f.peers, running(fmt.Sprintf("web%d", i), 0, start))
	}
	tr.look(start)
	for i := range f.peers {
		f.peers[i].Received.Missing += uint64(i)
	}
	f.ports[0].KernelDrops = 1
	list := tr.look(start.Add(time.Minute)).problems
	if len(list) != 1+maxSameKind || list[0].Kind != "receive-buffer" || list[1].Peer != "web999/eth0" || list[maxSameKind].More != 999-maxSameKind {
		t.Errorf("%d problems: %+v", len(list), list)
	}
	if !strings.Contains(list[1].Cure, "receive buffer on port 2003") {
		t.Errorf("the cause is not named: %+v", list[1])
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 18446744073709551615: "18,446,744,073,709,551,615"} {
		if got := numbers.Commas(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if share(0, 0) != "0 %" || share(1, 3) != "33 %" || share(1, 100000) != "less than 0.01 %" || share(3, 1000) != "0.30 %" || share(0, 100) != "0 %" {
		t.Error(share(0, 0), share(1, 3), share(1, 100000), share(3, 1000))
	}
	for _, names := range [][2]string{{"web2", "web10"}, {"a", "a1"}, {"web02", "web3"}, {"10.0.0.9", "10.0.0.10"}, {"a", "b"}} {
		if natural(names[0], names[1]) >= 0 || natural(names[1], names[0]) <= 0 {
			t.Errorf("%v are in the wrong order", names)
		}
	}
}

// TestStrangerIsNamed: when nothing comes from an agent and another address sends to its port, that is said; not while all is
// well.
func TestStrangerIsNamed(t *testing.T) {
	start := time.Now()
	for _, silent := range []bool{true, false} {
		f := newFake()
		f.peers = []status.Peer{running("web1", 500, start)}
		f.peers[0].LastArrival = start.Add(time.Minute)
		if silent {
			f.peers[0].Received, f.peers[0].LastArrival = status.Received{}, time.Time{}
		}
		f.ports = []status.Port{{Port: 2003, Foreign: 9, Stranger: netip.MustParseAddr("10.0.0.8")}}
		v := newTracker(f, "", start).look(start.Add(time.Minute))
		named := false
		for _, p := range v.problems {
			named = named || p.Kind == "nothing-arrives" && strings.Contains(p.Cure, "Datagrams from 10.0.0.8 come to port 2003 instead")
		}
		if named != silent {
			t.Errorf("silent %v: %+v", silent, v.problems)
		}
	}
}

// TestOneCause: frames that do not come are one problem with the cause that is known, from the first error on and after the
// session's end.
func TestOneCause(t *testing.T) {
	start := time.Now()
	stranger := []status.Port{{Port: 2003, Foreign: 9, Stranger: netip.MustParseAddr("10.0.0.8")}}
	for name, tc := range map[string]struct {
		ports []status.Port
		wreck func(p *status.Peer, now time.Time)
		kind  string
		cause string
		after string // the session's end
	}{
		"a NAT changes the address in mid-session": {stranger, func(p *status.Peer, now time.Time) {
			p.LastArrival, p.UnaccountedSince = now.Add(-12*time.Second), now.Add(-5*time.Second)
			p.Unaccounted, p.Received.Missing = 400, 20
		}, "unaccounted", "10.0.0.8", "10.0.0.8"},
		"the path is dead": {nil, func(p *status.Peer, now time.Time) {
			p.LastArrival, p.UnaccountedSince = now.Add(-12*time.Second), now.Add(-5*time.Second)
			p.Unaccounted, p.Received.Missing = 400, 20
		}, "unaccounted", "Something on the path drops UDP", "Something on the path drops UDP"},
		"super-packets were lost": {nil, func(p *status.Peer, now time.Time) {
			p.LastArrival, p.NoSegmentation = now, true
		}, "super-packets", "segmentation offload", "segmentation offload"},
	} {
		f := newFake()
		f.ports = tc.ports
		tr := newTracker(f, "", start)
		before := ended(running("web1", 10, start), 1)
		f.peers = []status.Peer{running("web1", 5000, start), before}
		tr.look(start.Add(time.Second))
		now := start.Add(time.Minute)
		f.peers[1].Received.Missing = 500 // of a capture that has ended
		tc.wreck(&f.peers[0], now)
		list := tr.look(now).problems
		var mine []Problem
		for _, p := range list {
			if p.Peer != "" {
				mine = append(mine, p)
			}
		}
		if len(mine) != 1 || mine[0].Kind != tc.kind || mine[0].Severity != SeverityError || !strings.Contains(mine[0].Cure, tc.cause) {
			t.Errorf("%s: %+v", name, mine)
		}
		end := f.peers[0]
		end.State, end.Sessions, end.Received.Missing, end.Unaccounted, end.UnaccountedSince = status.StateEnded, 2, 1000, 0, time.Time{}
		f.peers = []status.Peer{end}
		mine = nil
		for _, p := range tr.look(now.Add(time.Second)).problems {
			if p.Peer != "" {
				mine = append(mine, p)
			}
		}
		if len(mine) != 1 || mine[0].Kind != "path-loss" || !strings.Contains(mine[0].Cure, tc.after) {
			t.Errorf("%s, after the end: %+v", name, mine)
		}
	}
}
