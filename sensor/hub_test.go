package sensor

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// failingSink counts frames and fails as often as it is told.
type failingSink struct {
	countingSink
	name string
	errs []error
	runs atomic.Int32
}

func (s *failingSink) Name() string { return s.name }

func (s *failingSink) Run(ctx context.Context) error {
	s.runs.Add(1)
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return err
	}
	<-ctx.Done()
	return nil
}

// TestFailingSinkIsAlone: one that fails for good, one whose reader has gone and one that recovers are shown as what
// they are, and the sensor goes on.
func TestFailingSinkIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		again := fmt.Errorf("write x: disk full (%w)", ErrTryAgain)
		broken := &failingSink{name: "broken", errs: []error{errors.New("write y: no such device")}}
		gone := &failingSink{name: "gone", errs: []error{fmt.Errorf("write z: %w", ErrConsumerGone)}}
		recovers := &failingSink{name: "recovers", errs: []error{again, again, again}}
		h := testHub(t, []Sink{broken, gone, recovers, &failingSink{name: "good"}})
		ctx, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		h.start(stop)
		synctest.Wait()
		if st := h.status(); st[0].State != SinkFailed || st[1].State != SinkEnded || st[2].State != SinkRetrying || st[3].State != SinkRunning ||
			st[0].Error != "write y: no such device" || st[2].Error != again.Error() || st[3].Error != "" {
			t.Errorf("%+v", st)
		}
		after(sinkRetryFirst * 3 / 2) // with jitter
		if n := recovers.runs.Load(); n < 2 {
			t.Errorf("%d runs after the first pause", n)
		}
		after(9 * time.Second)
		if st := h.status()[2]; st.State != SinkRunning || st.Error == "" || recovers.runs.Load() != 4 {
			t.Errorf("%d runs, %+v", recovers.runs.Load(), st)
		}
		if ctx.Err() != nil {
			t.Error("the sensor was stopped")
		}
		if err := h.close(); err != nil {
			t.Errorf("end: %v", err)
		}
	})
}

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

func TestSinkNamesDiffer(t *testing.T) {
	_, err := New(Options{Rules: []Rule{{}}, Sinks: []Sink{&countingSink{}}, Purpose: &countingSink{}})
	if err == nil {
		t.Error("two sinks of one name are taken")
	}
}
