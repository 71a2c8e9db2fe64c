package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// TestInterfaceDown: a capture on an interface that is down or gone runs, and says what is wrong with it.
func TestInterfaceDown(t *testing.T) {
	up := testInterface("eth0", "10.0.0.2")
	down := up
	down.Flags = 0
	other := testInterface("lo", "127.0.0.1")
	for _, tc := range []struct {
		name        string
		first, then []rpcap.Interface
		atOnce      bool
		want        string
	}{
		{"down under way", []rpcap.Interface{up, other}, []rpcap.Interface{down, other}, false, "interface eth0 of the agent is down"},
		{"gone", []rpcap.Interface{up, other}, []rpcap.Interface{other}, false, "interface eth0 of the agent is gone"},
		{"down from the beginning", []rpcap.Interface{down, {Name: "lo", Flags: rpcap.InterfaceUp | rpcap.InterfaceLoopback}}, []rpcap.Interface{down, other}, true, "interface eth0 of the agent is down"},
		{"idle", []rpcap.Interface{up, other}, []rpcap.Interface{up, other}, false, ""},
		{"a library without flags", []rpcap.Interface{down}, []rpcap.Interface{down}, false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				defer b.stop()
				a := b.connect("10.0.0.2", func(a *testAgent) { a.list = tc.first })
				if p := b.peer(); p.State != status.StateRunning || (p.Reason == tc.want) != (tc.atOnce || tc.want == "") {
					t.Errorf("at once: %s (%s)", p.State, p.Reason)
				}
				a.mu.Lock()
				a.list = tc.then
				a.mu.Unlock()
				after(20 * time.Second)
				cause := status.CauseNone
				if tc.want != "" {
					cause = status.CauseInterfaceDown
				}
				if p := b.peer(); p.State != status.StateRunning || p.Reason != tc.want || p.Cause != cause {
					t.Errorf("%s (%s), cause %q", p.State, p.Reason, p.Cause)
				}
				a.setStats(rpcap.StatsReply{IfRecv: 1, Captured: 1}, rpcap.StatsReply{}) // a frame shows that it is up
				after(statsInterval)
				if p := b.peer(); p.State != status.StateRunning || p.Reason != "" {
					t.Errorf("up again: %s (%s)", p.State, p.Reason)
				}
			})
		})
	}
}
