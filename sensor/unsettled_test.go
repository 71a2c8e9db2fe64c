package sensor

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"rpcapd/udpstr"
)

// waitingSink knows what has become of its frames when the test says so.
type waitingSink struct {
	mu    sync.Mutex
	feeds []*waitingFeed
}

type waitingFeed struct {
	sink *waitingSink
	n    FeedCounters
}

func (s *waitingSink) Name() string { return "waiting" }
func (s *waitingSink) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
func (s *waitingSink) Attach(Source) Feed {
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
func (f *waitingFeed) Counters() FeedCounters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.n
}
func (f *waitingFeed) Detach(Forwarded) {}

// TestSettledAfterTheEnd: what becomes of frames after their stream has ended reaches the sums of sink and peer, once, and
// nothing ever falls.
func TestSettledAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &waitingSink{}
		b := newBubble(t, Options{Sinks: []Sink{sink}})
		defer b.stop()
		check := func(when string, want FeedCounters) {
			t.Helper()
			synctest.Wait()
			if got := b.Sinks()[1].FeedCounters; got != want {
				t.Errorf("%s: sink %+v, want %+v", when, got, want)
			}
			var peers FeedCounters
			for _, p := range b.Peers() {
				peers.add(p.BySink["waiting"])
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
		check("queued", FeedCounters{Waiting: 8})
		sink.settle(3, 0)
		check("some written", FeedCounters{Written: 3, Bytes: 180, Waiting: 5})
		a.conn.Close()
		after(2 * lingerTime)
		check("ended", FeedCounters{Written: 3, Bytes: 180, Waiting: 5})
		sink.settle(2, 1)
		check("settled in part", FeedCounters{Written: 5, Bytes: 300, Dropped: 1, Waiting: 2})
		a = b.connect("10.0.0.2", nil)
		b.feed(b.Peers()[0].DataPort, "10.0.0.2:5001", packed(t, testFrames(4, 60), 1400)...)
		check("another session", FeedCounters{Written: 5, Bytes: 300, Dropped: 1, Waiting: 6})
		a.conn.Close()
		after(2 * lingerTime)
		sink.settle(9, 0)
		check("all settled", FeedCounters{Written: 11, Bytes: 660, Dropped: 1})
		check("asked again", FeedCounters{Written: 11, Bytes: 660, Dropped: 1})
		if n := len(b.hub.list()[1].late.feeds); n != 0 {
			t.Errorf("%d feeds are remembered", n)
		}
	})
}

// TestUnsettledBounded: nobody has to look for the feeds that are settled to be forgotten.
func TestUnsettledBounded(t *testing.T) {
	var u unsettled
	var sum FeedCounters
	change := func(_ string, by FeedCounters) { sum.add(by) }
	run := &sinkRun{name: "x"}
	for range 10_000 {
		f := &waitingFeed{sink: &waitingSink{}, n: FeedCounters{Waiting: 1}}
		f.sink.feeds = append(f.sink.feeds, f)
		sum.add(f.Counters())
		u.add(&hubFeed{Feed: f, run: run}, f.Counters(), change)
		f.sink.settle(1, 0)
	}
	if len(u.feeds) > 200 {
		t.Errorf("%d feeds are remembered", len(u.feeds))
	}
	if u.settle(change); sum != (FeedCounters{Written: 10_000, Bytes: 600_000}) {
		t.Errorf("%+v", sum)
	}
}
