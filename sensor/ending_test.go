package sensor

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// TestEnding: at the stop of the sensor each agent is asked for its numbers, told to end, asked again; the frames still on
// their way are taken; the tail is settled by what the agent says.
func TestEnding(t *testing.T) {
	const sent = 30
	for _, tc := range []struct {
		name          string
		before, final uint32 // svrcapt
		lost          int    // datagrams at the end that do not come
		tail          status.Tail
		exact         bool
		atMost        time.Duration
	}{
		{"all has come", sent, sent, 0, status.TailKnown, true, 100 * time.Millisecond},
		{"final numbers are valid", sent - 5, sent, 0, status.TailKnown, true, 100 * time.Millisecond},
		{"the tail is lost", sent, sent, 2, status.TailKnown, true, 1100 * time.Millisecond},
		{"C agents say zero after ENDCAP", sent, 0, 2, status.TailAtLeast, true, 1100 * time.Millisecond},
		{"and may have captured more than before", sent - 5, 0, 0, status.TailAtLeast, false, 100 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				a := b.connect("10.0.0.2", func(a *testAgent) {
					a.stats = rpcap.StatsReply{IfRecv: tc.before, Captured: tc.before}
					a.final = rpcap.StatsReply{IfRecv: tc.final, Captured: tc.final}
				})
				d := packed(t, testFrames(sent, 300), 512)
				b.feed(2003, "10.0.0.2:5000", d[:len(d)-tc.lost]...)
				begin := time.Now()
				b.stop()
				if took := time.Since(begin); took > tc.atMost {
					t.Errorf("took %v", took)
				}
				var end []rpcap.Type
				end = append(end, a.requests[4:]...)
				if fmt.Sprint(end) != "[STATS_REQ ENDCAP_REQ STATS_REQ]" {
					t.Errorf("requests at the end: %v", end)
				}
				p := b.peer()
				if p.Tail != tc.tail || p.State != status.StateEnded {
					t.Errorf("%+v", p)
				}
				if total := p.Received.Frames + p.Received.Missing; total != sent {
					t.Errorf("%d frames + %d missing, sent %d", p.Received.Frames, p.Received.Missing, sent)
				}
				if n := b.sink.frames["10.0.0.2/eth0"]; uint64(n) != p.Received.Frames || p.Sinks.Written != p.Received.Frames {
					t.Errorf("sink has %d frames, delivered %d", n, p.Received.Frames)
				}
			})
		})
	}
}

// TestEndingOfASilentAgent: the stop waits no longer than it may.
func TestEndingOfASilentAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		b.connect("10.0.0.2", func(a *testAgent) {
			nothing := func([]byte) [][]byte { return nil }
			a.on(rpcap.TypeStatsRequest, nothing)
			a.on(rpcap.TypeEndCaptureRequest, nothing)
		})
		b.connect("10.0.0.3", func(a *testAgent) { a.on(rpcap.TypeAuthRequest, func([]byte) [][]byte { return nil }) })
		b.connect("10.0.0.4", func(a *testAgent) { a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return nil }) })
		begin := time.Now()
		b.stop()
		if took := time.Since(begin); took > endTimeout+lingerTime+100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if p := b.Peers(); len(p) != 3 || p[0].Tail == status.TailKnown {
			t.Errorf("%+v", p)
		}
	})
}

// TestDatagramsAfterTheEnd: what comes within a second after ENDCAP_REPLY still counts.
func TestDatagramsAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		b.connect("10.0.0.2", func(a *testAgent) {
			a.stats, a.final = rpcap.StatsReply{Captured: 30}, rpcap.StatsReply{Captured: 30}
		})
		d := packed(t, testFrames(30, 300), 512)
		b.feed(2003, "10.0.0.2:5000", d[:5]...)
		go func() {
			time.Sleep(800 * time.Millisecond)
			b.ports.get(2003).in <- []fakeDatagram{}
			b.feedLate(d[5:])
		}()
		b.stop()
		if p := b.peer(); p.Received.Frames != 30 || p.Received.Missing != 0 {
			t.Errorf("%+v", p.Received)
		}
	})
}

// feedLate is feed without waiting.
func (b *bubble) feedLate(payloads [][]byte) {
	for _, p := range payloads {
		b.ports.get(2003).in <- []fakeDatagram{{src: netip.MustParseAddrPort("10.0.0.2:5000"), b: p}}
	}
}

// TestSessionsSumUp: the captures of an agent that comes and goes are one line of the summary.
func TestSessionsSumUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Data: receive.DataPorts{First: 2003, Count: 1}})
		for i := range 3 {
			a := b.connect("10.0.0.2", nil)
			b.feed(2003, fmt.Sprintf("10.0.0.2:%d", 5000+i), packed(t, testFrames(10, 60), 512)...)
			a.conn.Close()
			after(2 * lingerTime)
		}
		b.stop()
		if p := b.peer(); p.Sessions != 3 || p.Received.Frames != 30 || p.Tail != status.TailUnknown {
			t.Errorf("%+v", p)
		}
		if c := b.Counters(); c.Ended != 3 || c.Accepted != 3 {
			t.Errorf("%+v", c)
		}
	})
}

// TestHeldUntilTheEnd: the last summary says why an agent that stayed connected forwarded nothing.
func TestHeldUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "lab", Interfaces: []string{"eth9"}}}})
		b.connect("10.0.0.2", nil)
		b.stop()
		var text bytes.Buffer
		if err := b.WriteSummary(&text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "10.0.0.2: ended (no interface of the agent (eth0)") {
			t.Error(text.String())
		}
	})
}
