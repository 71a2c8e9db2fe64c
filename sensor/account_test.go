package sensor

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// TestUnaccounted: UDP stops in mid-session. The gap between what the agent has captured and what has come is a number at the
// next STATS but one, a loss within 20 s, and missing at the end.
func TestUnaccounted(t *testing.T) {
	d := packed(t, testFrames(1000, 200), 1472)
	most := func(i int) uint32 { return lastFrame(d[i-1]) - 1 } // the last one goes on in the next datagram
	for _, tc := range []struct {
		name    string
		ours    bool
		arrive  int // datagrams
		stats   []uint32
		frames  uint64
		overdue bool
	}{
		{"all comes", true, 100, []uint32{most(100), most(100), most(100)}, 0, false},
		{"what is on its way", true, 100, []uint32{most(100), most(100), most(100) + 500}, 0, false},
		{"nothing comes any more", true, 100, []uint32{most(100), most(100) + 10, most(100) + 20, most(100) + 30}, 20, true},
		{"once is not enough", true, 100, []uint32{most(100), most(100) + 10, most(100) + 20}, 10, false},
		{"one frame is enough from our agent", true, 100, []uint32{most(100) + 1, most(100) + 1, most(100) + 1}, 1, true},
		{"another agent holds a datagram", false, 100, []uint32{most(100) + 30, most(100) + 30, most(100) + 30, most(100) + 30}, 30, false},
		{"but not more than one", false, 100, []uint32{most(100) + 60, most(100) + 60, most(100) + 60}, 60, true},
		{"another agent before its first datagram", false, 0, []uint32{20, 20, 20, 20}, 20, false},
		{"nothing has ever come", true, 0, []uint32{20, 30, 40}, 30, true},
		{"sampling: npkt counts what is forwarded", true, 100, []uint32{most(100), most(100), most(100)}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				a := b.connect("10.0.0.2", func(a *testAgent) {
					if tc.ours {
						a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
							return [][]byte{rpcap.StartCaptureReply{DataPort: 5000}.Append(nil)}
						})
					}
				})
				if tc.arrive > 0 {
					b.feed(2003, "10.0.0.2:5000", d[:tc.arrive]...)
				}
				last := rpcap.StatsReply{}
				for _, n := range tc.stats {
					last = rpcap.StatsReply{IfRecv: n, Captured: n}
					a.setStats(last, rpcap.StatsReply{})
					after(statsInterval)
				}
				p := b.Peers()[0]
				if p.Unaccounted != tc.frames || p.UnaccountedSince.IsZero() == tc.overdue {
					t.Errorf("%d frames since %v", p.Unaccounted, p.UnaccountedSince)
				}
				a.conn.Close() // without final numbers
				after(2 * lingerTime)
				p = b.peer()
				if p.Received.Frames+p.Received.Missing != uint64(last.Captured) || p.Tail != status.TailUnknown || p.Unaccounted != 0 {
					t.Errorf("at the end %d frames, %d missing of %d, tail %v", p.Received.Frames, p.Received.Missing, last.Captured, p.Tail)
				}
				var text bytes.Buffer
				if err := b.WriteSummary(&text); err != nil || !strings.Contains(text.String(), "missing ≥ ") {
					t.Errorf("%v\n%s", err, text.String())
				}
				b.stop()
			})
		})
	}
}

// TestSuperPacketsLost: hardly anything arrives of one of our agents. The capture begins anew once, without super-packets, and
// not a second time.
func TestSuperPacketsLost(t *testing.T) {
	d := packed(t, testFrames(1000, 200), 1472)
	for _, tc := range []struct {
		name    string
		port    uint16 // that the agent has said
		arrive  int
		starts  int
		flagged bool
	}{
		{"hardly anything", 5000, 5, 2, true},
		{"a tenth", 5000, 20, 1, false},
		{"an agent of another make", 0, 5, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				var flags []rpcap.StartCaptureFlags
				a := b.connect("10.0.0.2", func(a *testAgent) {
					a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
						flags = append(flags, a.start.Flags)
						return [][]byte{rpcap.StartCaptureReply{DataPort: tc.port}.Append(nil)}
					})
				})
				b.feed(2003, "10.0.0.2:5000", d[:tc.arrive]...)
				a.setStats(rpcap.StatsReply{Captured: 1000}, rpcap.StatsReply{Captured: 1000})
				after(time.Minute)
				if len(flags) != tc.starts || (flags[len(flags)-1]&rpcap.FlagNoSegmentation != 0) != tc.flagged || flags[0]&rpcap.FlagNoSegmentation != 0 {
					t.Fatalf("flags %x", flags)
				}
				if p := b.Peers()[0]; p.NoSegmentation != tc.flagged || p.State != status.StateRunning {
					t.Errorf("%+v", p)
				}
				b.stop()
				p := b.peer()
				if n := p.Received.Frames + p.Received.Missing; n != uint64(1000*tc.starts) {
					t.Errorf("%d frames and missing", n)
				}
			})
		})
	}
}
