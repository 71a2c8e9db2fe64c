package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// TestClockOffset: the quickest frame of a minute shows the difference, held-back ones do not disturb it, and a clock that
// is set right is seen within a minute.
func TestClockOffset(t *testing.T) {
	for _, ahead := range []time.Duration{0, -23 * time.Hour, 90 * time.Minute, -3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{})
			defer b.stop()
			b.connect("10.0.0.2", func(a *testAgent) {
				a.on(rpcap.TypeStatsRequest, func([]byte) [][]byte {
					time.Sleep(4 * time.Millisecond) // two milliseconds each way
					return [][]byte{rpcap.StatsReply{}.Append(nil)}
				})
			})
			if b.peer().ClockKnown {
				t.Error("known before the first frame")
			}
			p, err := udpstr.NewPacker(512, make([]byte, 1<<16))
			if err != nil {
				t.Fatal(err)
			}
			send := func(heldBack time.Duration) {
				at := time.Now().Add(ahead - 2*time.Millisecond - heldBack)
				p.Append([]udpstr.Frame{{Data: make([]byte, 60), Len: 60, Sec: uint32(at.Unix()), Usec: uint32(at.Nanosecond() / 1000)}})
				r, _ := p.Take()
				b.feed(2003, "10.0.0.2:5000", r.Datagram(0))
			}
			send(15 * time.Millisecond)
			after(statsInterval + 100*time.Millisecond) // a STATS in between
			send(0)
			for range 20 {
				send(20 * time.Millisecond)
			}
			st := b.peer()
			if d := st.ClockOffset - ahead; !st.ClockKnown || d.Abs() > 100*time.Microsecond {
				t.Errorf("ahead by %v: offset %v", ahead, st.ClockOffset)
			}
			ahead = 0
			for range 14 {
				after(5 * time.Second)
				send(0)
			}
			if d := b.peer().ClockOffset; d.Abs() > 100*time.Microsecond {
				t.Errorf("after it was set right: %v", d)
			}
		})
	}
}
