package sensor

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSetStreams: Dedup holds for streams that run, numbers of sessions for the next connection.
func TestSetStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		b.connect("10.0.0.2", nil)
		b.connect("10.0.0.3", nil)
		d := packed(t, testFrames(12, 300), 512)
		both := func(i int) {
			b.feed(2003, "10.0.0.2:5000", d[i])
			b.feed(2004, "10.0.0.3:5000", d[i])
		}
		delivered := func() (n int) {
			for _, frames := range b.sink.frames {
				n += frames
			}
			return n
		}
		third := len(d) / 3
		for i := range third {
			both(i)
		}
		before := delivered()
		b.SetStreams(Limits{Sessions: 2}, 50*time.Millisecond)
		for i := third; i < 2*third; i++ {
			both(i)
		}
		with := delivered() - before
		b.SetStreams(Limits{Sessions: 2}, 0)
		for i := 2 * third; i < 3*third; i++ {
			both(i)
		}
		var repeated, arrived uint64
		for _, p := range b.Peers() {
			repeated += p.Deduplicated
			arrived += p.Received.Frames
		}
		if int(repeated) != with || with == 0 || delivered() != int(arrived)-with {
			t.Errorf("%d frames of %d left out, %d delivered while Dedup was on, %d in all", repeated, arrived, with, delivered())
		}
		refused := b.Counters().Refused
		b.connect("10.0.0.4", nil)
		if n := b.Counters().Refused - refused; n != 1 {
			t.Errorf("%d connections refused", n)
		}
	})
}
