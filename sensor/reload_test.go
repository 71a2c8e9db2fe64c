package sensor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/test/ports"
	"rpcapd/test/tool"
	"rpcapd/test/wait"
)

func (b *bubble) reload(rules ...rule.Rule) {
	b.t.Helper()
	if err := b.Reload(b.t.Context(), rules, nil); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// since returns the requests after the first n.
func (a *testAgent) since(n int) []rpcap.Type {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]rpcap.Type(nil), a.requests[n:]...)
}

// TestReloadUpdatesTheFilter: the stream goes on in the same capture, and the numbers close over the change.
func TestReloadUpdatesTheFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		b.known("tcp", "udp")
		a := b.connect("10.0.0.2", nil)
		other := b.connect("10.0.0.3", func(a *testAgent) { a.list = list(testInterface("eth1", "10.0.1.3")) })
		d := packed(t, testFrames(40, 60), 256)
		b.feed(2003, "10.0.0.2:5000", d[:len(d)/2]...)
		a.setStats(rpcap.StatsReply{IfRecv: 50, Captured: 20}, rpcap.StatsReply{IfRecv: 90, Captured: 40})
		before, n := a.asked(rpcap.TypeStatsRequest), len(a.requests)
		var got rpcap.Program
		a.on(rpcap.TypeUpdateFilterRequest, func(p []byte) [][]byte {
			req, _, err := rpcap.ParseUpdateFilterRequest(p)
			if err != nil {
				t.Error(err)
			}
			got = req.Filter
			return [][]byte{rpcap.AppendEmpty(nil, rpcap.TypeUpdateFilterReply)}
		})
		b.reload(rule.Rule{Name: "all", Filter: "tcp", Interfaces: []string{"eth0"}}, rule.Rule{Name: "rest"})
		if fmt.Sprint(a.since(n)) != "[STATS_REQ UPDATEFILTER_REQ]" || before != 0 {
			t.Fatalf("asked %v", a.since(n))
		}
		if k := got[len(got)-1].K; k != 1000 && len(got) < 2 { // with its own traffic taken out in front
			t.Errorf("program %v", got)
		}
		p := b.Peers()[0]
		if p.State != status.StateRunning || p.Filter != "tcp" || p.Sinks.Written != p.Received.Frames || p.Received.Frames == 0 {
			t.Errorf("%+v", p)
		}
		b.reload(rule.Rule{Name: "all", Filter: "tcp", Interfaces: []string{"eth0"}}, rule.Rule{Name: "rest"})
		if len(a.since(n)) != 2 {
			t.Errorf("the same rules again: %v", a.since(n))
		}
		b.feed(2003, "10.0.0.2:5000", d[len(d)/2:]...)
		if n := other.asked(rpcap.TypeEndCaptureRequest); n != 1 {
			t.Errorf("the other agent has another rule now, ENDCAP %d times", n)
		}
		b.cancel()
		after(time.Second)
		for _, p := range b.Peers() {
			if p.Name == "10.0.0.2/eth0" && (p.Received.Frames != 40 || p.Received.Missing != 0 || p.Sinks.Written != 40 ||
				p.Forwarded.Received != 90 || p.Sessions != 1 || p.Tail != status.TailKnown) {
				t.Errorf("%+v", p)
			}
		}
		if f := b.sink.sums["10.0.0.2/eth0"]; f.Received != 40 || f.Captured != 20 {
			t.Errorf("the second feed was told %+v", f)
		}
	})
}

// TestReloadFilterRefused: the agent goes on with the old one, and the status says so.
func TestReloadFilterRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		b.known("tcp")
		a := b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeUpdateFilterRequest, func([]byte) [][]byte {
				return [][]byte{errorReply(rpcap.CodeUpdateFilter, "not today")}
			})
		})
		b.reload(rule.Rule{Name: "all", Filter: "tcp"})
		p := b.peer()
		if p.State != status.StateRunning || p.Filter != "" || !strings.Contains(p.Reason, "not today") || !strings.Contains(p.LastError, "not today") {
			t.Errorf("%+v", p)
		}
		if a.asked(rpcap.TypeEndCaptureRequest) != 0 {
			t.Error("the capture was ended")
		}
	})
}

// TestReloadRestarts: what UPDATEFILTER cannot change begins a new capture on the same connection.
func TestReloadRestarts(t *testing.T) {
	for name, rules := range map[string][]rule.Rule{
		"snap length":   {{Name: "all", Snaplen: 100}},
		"promiscuous":   {{Name: "all", Promiscuous: true}},
		"sampling":      {{Name: "all", Sampling: rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: 5}}},
		"another name":  {{Name: "every"}},
		"earlier rule":  {{Name: "first", Interfaces: []string{"eth1"}}, {Name: "all"}},
		"eth1 and port": {{Name: "all", Interfaces: []string{"eth1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				defer b.stop()
				a := b.connect("10.0.0.2", func(a *testAgent) {
					a.list = list(testInterface("eth0", "10.0.0.2"), testInterface("eth1", "10.0.1.2"))
				})
				n := len(a.requests)
				b.reload(rules...)
				after(2 * lingerTime)
				want := "[STATS_REQ ENDCAP_REQ STATS_REQ FINDALLIF_REQ OPEN_REQ STARTCAP_REQ]"
				if name == "sampling" {
					want = "[STATS_REQ ENDCAP_REQ STATS_REQ FINDALLIF_REQ OPEN_REQ SETSAMPLING_REQ STARTCAP_REQ]"
				}
				if got := fmt.Sprint(a.since(n)); got != want {
					t.Errorf("asked %s", got)
				}
				p := b.Peers()[0]
				if p.State != status.StateRunning || p.Rule != rules[0].Name || strings.HasPrefix(name, "e") != (p.Interface == "eth1") {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// TestReloadRemovesTheRule: STATS, ENDCAP; the connection is held however long it takes, the agent told why, and used
// again when a rule wants it.
func TestReloadRemovesTheRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.0.0.2", nil)
		b.feed(2003, "10.0.0.2:5000", packed(t, testFrames(5, 60), 512)...)
		a.setStats(rpcap.StatsReply{IfRecv: 5, Captured: 5}, rpcap.StatsReply{IfRecv: 5, Captured: 5})
		n := len(a.requests)
		b.reload(rule.Rule{Name: "lab", AllowAgents: prefixes("192.0.2.0/24")})
		after(10 * time.Minute)
		if got := fmt.Sprint(a.since(n)); got != "[STATS_REQ ENDCAP_REQ STATS_REQ ERROR]" {
			t.Errorf("asked %s", got)
		}
		select {
		case <-a.done:
			t.Fatal("the connection was closed")
		default:
		}
		p := b.Peers()
		if p[0].State != status.StateHeld || p[0].Reason != unwanted || p[1].Received.Frames != 5 || p[1].Tail != status.TailKnown {
			t.Errorf("%+v", p)
		}
		if told := a.told(); len(told) != 1 || told[0].Text != unwanted {
			t.Errorf("told %v", told)
		}
		b.reload(rule.Rule{Name: "all"})
		after(time.Second)
		if p := b.Peers()[0]; p.State != status.StateRunning || p.Reconnects != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// TestReloadWhileHeld: an agent that is held is looked at again at once, with the new credentials if it is about those.
func TestReloadWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "all", Interfaces: []string{"eth9"}, User: "u", Password: "old"}}})
		defer b.stop()
		waits := b.connect("10.0.0.2", nil)
		locked := b.connect("10.0.0.3", func(a *testAgent) {
			a.on(rpcap.TypeAuthRequest, func(p []byte) [][]byte {
				if req, _, _ := rpcap.ParseAuthRequest(p); req.Password != "new" {
					return [][]byte{errorReply(rpcap.CodeAuth, "no")}
				}
				return [][]byte{rpcap.AppendEmpty(nil, rpcap.TypeAuthReply)}
			})
		})
		b.reload(rule.Rule{Name: "all", User: "u", Password: "new"})
		after(time.Second)
		for _, a := range []*testAgent{waits, locked} {
			if a.asked(rpcap.TypeStartCaptureRequest) != 1 {
				t.Errorf("requests %v", a.requests)
			}
		}
		if waits.asked(rpcap.TypeAuthRequest) != 1 {
			t.Error("authenticated twice")
		}
	})
}

// TestReloadBroken: nothing changes.
func TestReloadBroken(t *testing.T) {
	tool.Need(t, "tcpdump")
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "all"}}})
	a := dialAgent(t, s)
	a.export("udp4")
	wait.Until(t, "the agent runs", func() bool { return s.Peers()[0].State == status.StateRunning })
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	n, addrs := len(a.since(0)), fmt.Sprint(s.Addrs())
	for want, rules := range map[string][]rule.Rule{
		"no rule":            {},
		"syntax error":       {{Name: "all", Filter: "tcp prot 80"}},
		"snap length":        {{Name: "all", Snaplen: 1 << 30}},
		"listen on TCP port": {{Name: "all"}, {Name: "more", Port: uint16(taken.Addr().(*net.TCPAddr).Port)}},
		"link type 1 of":     {{Name: "all", Filter: "wlan type mgt"}}, // good for others, not for this agent
	} {
		if err := s.Reload(t.Context(), rules, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if got := fmt.Sprint(s.Addrs()); got != addrs {
		t.Errorf("listens on %s", got)
	}
	if m := len(a.since(0)); m > n+1 || s.Peers()[0].State != status.StateRunning {
		t.Errorf("the agent was asked %v", a.since(n))
	}
	s.stop(t)
	if err := s.Reload(t.Context(), []rule.Rule{{Name: "all"}}, nil); err == nil {
		t.Error("reloaded after the end")
	}
}

// TestReloadPorts: a new port is served, the old one refuses.
func TestReloadPorts(t *testing.T) {
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "all"}}})
	old := s.addr()
	port := uint16(ports.Free(t))
	if err := s.Reload(t.Context(), []rule.Rule{{Name: "new", Port: port}}, nil); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", old.String()); err == nil {
		conn.Close()
		t.Error("the old port is still open")
	}
	if got := s.addr().Port(); got != port {
		t.Errorf("listens on port %d", got)
	}
	dialAgent(t, s).export("udp4")
	s.stop(t)
}

// TestReloadsDoNotPutOffStats: an agent is asked for its numbers in time, however often the rules are read again.
func TestReloadsDoNotPutOffStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.0.0.2", nil)
		for range 30 {
			after(time.Second)
			if err := b.Reload(t.Context(), []rule.Rule{{Name: "all"}}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := a.asked(rpcap.TypeStatsRequest); n < 5 || n > 7 {
			t.Errorf("STATS %d times in 30 s", n)
		}
	})
}

// TestReloadBeforeServing: the ports are open and nobody is served yet when the rules change. The new ports are served, the old
// ones are closed, and a port that cannot be opened leaves all as it is.
func TestReloadBeforeServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listeners := make(fakeListeners)
		o := Options{
			Rules: []rule.Rule{{Name: "stays", Port: DefaultPort}, {Name: "goes", Port: 2009}}, openPort: new(fakePorts).open,
			openListener: func(a netip.AddrPort) (net.Listener, error) {
				if a.Port() == 2011 {
					return nil, errors.New("in use")
				}
				return listeners.open(a)
			},
		}
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.listen(); err != nil {
			t.Fatal(err)
		}
		before := listeners[2009]
		if err := s.Reload(t.Context(), []rule.Rule{{Name: "refused", Port: 2011}}, nil); err == nil || len(s.Addrs()) != 2 {
			t.Errorf("%v, %v", err, s.Addrs())
		}
		if err := s.Reload(t.Context(), []rule.Rule{{Name: "stays", Port: DefaultPort}, {Name: "new", Port: 2010}}, nil); err != nil {
			t.Fatal(err)
		}
		select {
		case <-before.closed:
		default:
			t.Error("a port without a rule is still open")
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan struct{})
		go func() {
			defer close(served)
			s.control.Serve(ctx)
		}()
		<-s.Ready()
		if a := s.Addrs(); len(a) != 2 || a[0].Port() != DefaultPort || a[1].Port() != 2010 {
			t.Errorf("%v", a)
		}
		for i, port := range []uint16{DefaultPort, 2010} {
			mine, theirs := net.Pipe()
			a := newTestAgent(t, mine)
			go a.serve()
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 2}), 40000+uint16(i))
			listeners[port].in <- addressed{theirs, net.TCPAddrFromAddrPort(from)}
			synctest.Wait()
			if n := a.asked(rpcap.TypeStartCaptureRequest); n != 1 {
				t.Errorf("port %d: %d captures", port, n)
			}
		}
		cancel()
		<-served
		s.receiver.Close()
	})
}
