package sensor

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// TestSinkCounters: the sums of a sink hold what ended streams had, and never go back.
func TestSinkCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.0.0.2", nil)
		b.connect("10.0.0.3", nil)
		b.feed(2003, "10.0.0.2:5000", packed(t, testFrames(5, 60), 512)...)
		b.feed(2004, "10.0.0.3:5000", packed(t, testFrames(3, 60), 512)...)
		if st := b.Sinks()[0]; st.Name != "counter" || st.Written != 8 || st.Streams != 2 {
			t.Errorf("%+v", st)
		}
		for _, p := range b.Peers() {
			if p.BySink["counter"].Written != p.Received.Frames || p.Sinks.Written != p.Received.Frames {
				t.Errorf("%+v", p)
			}
		}
		a.conn.Close()
		after(2 * lingerTime)
		if st := b.Sinks()[0]; st.Written != 8 || st.Streams != 1 {
			t.Errorf("after one has left: %+v", st)
		}
	})
}

// waitingSink knows what has become of its frames when the test says so.
type waitingSink struct {
	mu    sync.Mutex
	feeds []*waitingFeed
}

type waitingFeed struct {
	sink *waitingSink
	n    sink.Counters
}

func (s *waitingSink) Name() string { return "waiting" }
func (s *waitingSink) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
func (s *waitingSink) Attach(sink.Source) sink.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &waitingFeed{sink: s}
	s.feeds = append(s.feeds, f)
	return f
}

// settle moves frames of every feed from waiting to written or dropped.
func (s *waitingSink) settle(written, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		w := min(written, f.n.Waiting)
		f.n.Written, f.n.Bytes, f.n.Waiting = f.n.Written+w, f.n.Bytes+60*w, f.n.Waiting-w
		d := min(dropped, f.n.Waiting)
		f.n.Dropped, f.n.Waiting = f.n.Dropped+d, f.n.Waiting-d
	}
}

func (f *waitingFeed) Frame(*udpstr.Packet) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.n.Waiting++
}
func (f *waitingFeed) Counters() sink.Counters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.n
}
func (f *waitingFeed) Detach(sink.Forwarded) {}

// TestSettledAfterTheEnd: what becomes of frames after their stream has ended reaches the sums of sink and peer, once, and
// nothing ever falls.
func TestSettledAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &waitingSink{}
		b := newBubble(t, Options{Sinks: []sink.Sink{k}})
		defer b.stop()
		check := func(when string, want sink.Counters) {
			t.Helper()
			synctest.Wait()
			if got := b.Sinks()[1].Counters; got != want {
				t.Errorf("%s: sink %+v, want %+v", when, got, want)
			}
			var peers sink.Counters
			for _, p := range b.Peers() {
				peers.Add(p.BySink["waiting"])
				if p.Sinks.Written < p.BySink["waiting"].Written {
					t.Errorf("%s: %+v in all, %+v of the sink", when, p.Sinks, p.BySink)
				}
			}
			if peers != want {
				t.Errorf("%s: peers %+v, want %+v", when, peers, want)
			}
		}
		a := b.connect("10.0.0.2", nil)
		b.feed(2003, "10.0.0.2:5000", packed(t, testFrames(8, 60), 1400)...)
		check("queued", sink.Counters{Waiting: 8})
		k.settle(3, 0)
		check("some written", sink.Counters{Written: 3, Bytes: 180, Waiting: 5})
		a.conn.Close()
		after(2 * lingerTime)
		check("ended", sink.Counters{Written: 3, Bytes: 180, Waiting: 5})
		k.settle(2, 1)
		check("settled in part", sink.Counters{Written: 5, Bytes: 300, Dropped: 1, Waiting: 2})
		a = b.connect("10.0.0.2", nil)
		b.feed(b.Peers()[0].DataPort, "10.0.0.2:5001", packed(t, testFrames(4, 60), 1400)...)
		check("another session", sink.Counters{Written: 5, Bytes: 300, Dropped: 1, Waiting: 6})
		a.conn.Close()
		after(2 * lingerTime)
		k.settle(9, 0)
		check("all settled", sink.Counters{Written: 11, Bytes: 660, Dropped: 1})
		check("asked again", sink.Counters{Written: 11, Bytes: 660, Dropped: 1})
	})
}
