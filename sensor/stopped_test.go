package sensor

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// stall makes an agent answer nothing, and go on later with all that it was asked.
func (a *testAgent) stall() (goOn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stalled = true
	return func() {
		a.mu.Lock()
		a.stalled = false
		backlog := a.backlog
		a.mu.Unlock()
		for _, answer := range backlog {
			answer()
		}
	}
}

// postponed keeps a request while the agent is stalled.
func (a *testAgent) postponed(h rpcap.Header, payload []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stalled {
		payload = bytes.Clone(payload)
		a.backlog = append(a.backlog, func() {
			for _, msg := range a.answer(h, payload) {
				_, _ = a.conn.Write(msg) // the sensor may have given up
			}
		})
	}
	return a.stalled
}

// TestStoppedAgent: an agent that was stopped for a while goes on in the same session, and what its ring has dropped
// meanwhile is known: while it runs, in the sum after the end, and to the sinks. One that stays away ends.
func TestStoppedAgent(t *testing.T) {
	for _, tc := range []struct {
		name    string
		stopped time.Duration
		goesOn  bool
	}{
		{"for a moment", 8 * time.Second, true},
		{"for 20 s", 20 * time.Second, true},
		{"for good", time.Hour, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.InfoLevel)
				b := newBubble(t, Options{Log: zap.New(core)})
				a := b.connect("10.0.0.2", func(a *testAgent) {
					a.stats = rpcap.StatsReply{IfRecv: 10, Captured: 10}
					a.final = a.stats
				})
				d := packed(t, testFrames(20, 60), 512)
				b.feed(2003, "10.0.0.2:5000", d[:len(d)/2]...)
				after(6 * time.Second)
				goOn := a.stall()
				after(tc.stopped)
				if !tc.goesOn {
					if p := b.peer(); p.State != status.StateEnded || p.Forwarded.Captured != 10 || p.Tail != status.TailUnknown {
						t.Errorf("%+v", p)
					}
					goOn()
					b.stop()
					return
				}
				if p := b.peer(); (p.State == status.StateHeld) != (tc.stopped > statsInterval+statsTimeout) {
					t.Errorf("%v stopped: %s, %s", tc.stopped, p.State, p.Reason)
				}
				now := rpcap.StatsReply{IfRecv: 6020, KernelDrop: 6000, Captured: 20}
				a.setStats(now, now)
				goOn()
				b.feed(2003, "10.0.0.2:5000", d[len(d)/2:]...)
				after(2 * statsInterval)
				if p := b.peer(); p.State != status.StateRunning || p.Reason != "" || p.Forwarded.KernelDropped != 6000 || p.Received.Frames != 20 || p.Reconnects != 0 {
					t.Errorf("%+v", p)
				}
				if n := logs.FilterLevelExact(zap.WarnLevel).Len(); n > 1 {
					t.Errorf("%d warnings: %v", n, logs.All())
				}
				b.stop()
				p := b.peer()
				if p.Forwarded.KernelDropped != 6000 || p.Tail != status.TailKnown || p.Received.Missing != 0 {
					t.Errorf("at the end: %+v", p)
				}
				if s := b.sink.sums["10.0.0.2/eth0"]; s.KernelDropped != 6000 {
					t.Errorf("the sinks were told %+v", s)
				}
			})
		})
	}
}

// TestStoppedAgentBeginsAnew: an agent that does not answer gives way when it connects again.
func TestStoppedAgentBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		a := b.connect("10.0.0.2", nil)
		goOn := a.stall()
		after(statsInterval + statsTimeout + time.Second)
		if p := b.peer(); p.State != status.StateHeld {
			t.Fatalf("%+v", p)
		}
		b.connect("10.0.0.2", nil)
		after(probeTimeout + lingerTime + 2*time.Second)
		for _, p := range b.Peers() {
			if p.State != status.StateEnded && (p.State != status.StateRunning || p.Name != "10.0.0.2/eth0") {
				t.Errorf("%+v", p)
			}
		}
		if n := b.Counters().Ended; n != 1 {
			t.Errorf("%d sessions have ended", n)
		}
		goOn()
		b.stop()
	})
}

// TestReloadWhileSilent: new rules do not end the wait for an agent that was stopped; they hold when it answers again.
func TestReloadWhileSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.0.0.2", func(a *testAgent) { a.stats = rpcap.StatsReply{IfRecv: 10, Captured: 10} })
		after(6 * time.Second)
		goOn := a.stall()
		after(statsInterval + statsTimeout)
		if st := b.peer().State; st != status.StateHeld {
			t.Fatalf("state %s, want held", st)
		}
		if err := b.Reload(t.Context(), []Rule{{Name: "all", Interfaces: []string{"eth*"}}}, nil); err != nil {
			t.Fatal(err)
		}
		after(time.Second)
		goOn()
		after(6 * time.Second)
		if p := b.peer(); p.State != status.StateRunning || p.Reason != "" {
			t.Errorf("%s: %s", p.State, p.Reason)
		}
	})
}
