package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/udpstr"
)

// TestDedupOfAgents: two agents that see the same frames, with loss at one of them; each delivered frame goes to the
// sinks once, and the counters add up.
func TestDedupOfAgents(t *testing.T) {
	for _, window := range []time.Duration{0, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{Dedup: window})
			defer b.stop()
			b.connect("10.0.0.2", nil)
			b.connect("10.0.0.3", nil)
			d := packed(t, testFrames(40, 100), 512)
			b.feed(2003, "10.0.0.2:5000", append(d[:2:2], d[3:]...)...) // the third datagram was lost
			after(20 * time.Millisecond)
			b.feed(2004, "10.0.0.3:5000", d...)
			after(time.Second)
			p := b.Peers()
			got := b.sink.frames["10.0.0.2/eth0"] + b.sink.frames["10.0.0.3/eth0"]
			want := 40
			if window == 0 {
				want = int(p[0].Received.Frames + p[1].Received.Frames)
			}
			if got != want || p[1].Received.Frames != 40 {
				t.Errorf("window %v: %d frames, want %d", window, got, want)
			}
			for _, p := range p {
				if p.Received.Frames != p.Deduplicated+p.Sinks.Written {
					t.Errorf("delivered = duplicates + written: %+v", p)
				}
			}
		})
	}
}

// TestDedupKeepsRetransmissions: equal frames of one agent are all delivered.
func TestDedupKeepsRetransmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Dedup: 100 * time.Millisecond})
		defer b.stop()
		b.connect("10.0.0.2", nil)
		same := make([]udpstr.Frame, 10)
		for i := range same {
			same[i] = testFrames(1, 100)[0]
		}
		b.feed(2003, "10.0.0.2:5000", packed(t, same, 512)...)
		if p := b.peer(); p.Deduplicated != 0 || p.Sinks.Written != 10 {
			t.Errorf("%+v", p)
		}
	})
}
