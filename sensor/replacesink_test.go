package sensor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/sink"
)

// endingSink is a countingSink with a name that knows how it ended.
type endingSink struct {
	countingSink
	name  string
	ended bool
	err   error
}

func (s *endingSink) Name() string { return s.name }
func (s *endingSink) Run(ctx context.Context) error {
	<-ctx.Done()
	s.ended = true
	return s.err
}

// TestReplaceSink: a running stream goes from one sink to another between two frames. What the others get, and the sums of a
// name, do not notice.
func TestReplaceSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next, more := &endingSink{name: "x", err: errors.New("disk full")}, &endingSink{name: "x"}, &endingSink{name: "y"}
		b := newBubble(t, Options{Sinks: []sink.Sink{old}})
		if err := b.ReplaceSink("x", next); !errors.Is(err, sink.ErrNotRunning) {
			t.Errorf("before Run: %v", err)
		}
		b.hub.Start(func(err error) { t.Errorf("the sensor was stopped: %v", err) })
		a := b.connect("10.0.0.2", func(a *testAgent) { a.stats = rpcap.StatsReply{IfRecv: 8, Captured: 8} })
		after(statsInterval)
		const source = "10.0.0.2/eth0"
		d := packed(t, testFrames(60, 300), 512)
		at := func(n int) { b.feed(2003, "10.0.0.2:5000", d[n]) }
		written := func(name string) uint64 {
			for _, st := range b.Sinks() {
				if st.Name == name {
					return st.Written
				}
			}
			return 0
		}
		third := len(d) / 3
		for n := range third {
			at(n)
		}
		before := written("x")
		if before == 0 || before != uint64(b.sink.frames[source]) {
			t.Fatalf("%d frames, the other sink has %v", before, b.sink.frames)
		}
		if err := b.ReplaceSink("x", next); err == nil || err.Error() != "disk full" || !old.ended {
			t.Errorf("%v, ended %v", err, old.ended)
		}
		if n := written("x"); n != before || len(b.Sinks()) != 2 {
			t.Errorf("%d frames after the change, %d before; %d sinks", n, before, len(b.Sinks()))
		}
		a.setStats(rpcap.StatsReply{IfRecv: 50, Captured: 50}, rpcap.StatsReply{IfRecv: 50, Captured: 50})
		after(statsInterval)
		for n := third; n < 2*third; n++ {
			at(n)
		}
		if got, want := old.frames[source]+next.frames[source], b.sink.frames[source]; got != want || uint64(want) != written("x") || next.frames[source] == 0 {
			t.Errorf("old %v and new %v, the other sink %v, sum %d", old.frames, next.frames, b.sink.frames, written("x"))
		}

		for _, bad := range []struct{ name, by string }{{"z", "z2"}, {"", "counter"}, {"x", "counter"}} {
			if err := b.ReplaceSink(bad.name, &endingSink{name: bad.by}); err == nil {
				t.Errorf("%v is taken", bad)
			}
		}
		if err := b.ReplaceSink("z", nil); !errors.Is(err, sink.ErrNoSuchSink) {
			t.Error(err)
		}

		if err := errors.Join(b.ReplaceSink("x", nil), b.ReplaceSink("", more)); err != nil {
			t.Fatal(err)
		}
		for n := 2 * third; n < len(d); n++ {
			at(n)
		}
		if !next.ended || old.sums[source].Captured != 8 || next.sums[source].Captured != 42 {
			t.Errorf("ended %v, agent's numbers %+v and %+v", next.ended, old.sums, next.sums)
		}
		if p := b.peer(); p.BySink["x"].Written+p.BySink["y"].Written != p.Received.Frames || p.BySink["counter"].Written != p.Received.Frames || p.Received.Frames != 60 {
			t.Errorf("%+v of %d frames", p.BySink, p.Received.Frames)
		}
		sum := uint64(old.frames[source] + next.frames[source])
		if err := b.ReplaceSink("", &endingSink{name: "x"}); err != nil || written("x") != sum {
			t.Errorf("again: %v, %d frames, want %d", err, written("x"), sum)
		}
		b.stop()
		if err := b.hub.Close(); err != nil {
			t.Errorf("%v", err)
		}
		if err := b.ReplaceSink("x", nil); !errors.Is(err, sink.ErrNotRunning) {
			t.Errorf("after the end: %v", err)
		}
		time.Sleep(time.Minute)
	})
}
