package sink

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// failingSink counts frames and fails as often as it is told.
type failingSink struct {
	testSink
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
		h.Start(stop)
		synctest.Wait()
		if st := h.Status(); st[0].State != Failed || st[1].State != Ended || st[2].State != Retrying || st[3].State != Running ||
			st[0].Error != "write y: no such device" || st[2].Error != again.Error() || st[3].Error != "" {
			t.Errorf("%+v", st)
		}
		time.Sleep(sinkRetryFirst * 3 / 2) // with jitter
		synctest.Wait()
		if n := recovers.runs.Load(); n < 2 {
			t.Errorf("%d runs after the first pause", n)
		}
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if st := h.Status()[2]; st.State != Running || st.Error == "" || recovers.runs.Load() != 4 {
			t.Errorf("%d runs, %+v", recovers.runs.Load(), st)
		}
		if ctx.Err() != nil {
			t.Error("the sensor was stopped")
		}
		if err := h.Close(); err != nil {
			t.Errorf("end: %v", err)
		}
	})
}

func TestNamesDiffer(t *testing.T) {
	if _, err := NewHub([]Sink{&testSink{}}, &testSink{}, zap.NewNop()); err == nil {
		t.Error("two sinks of one name are taken")
	}
}

// follower counts how often it was told to follow the list of sinks.
type follower struct{ told int }

func (f *follower) Follow() { f.told++ }

// TestHubForgets: a stream follows the list of sinks from when it has joined until it leaves, and is not remembered then.
func TestHubForgets(t *testing.T) {
	h := testHub(t, []Sink{&testSink{}})
	h.Start(func(error) {})
	var refused, f follower
	if err := h.Join(&refused, func() error { return errors.New("no port") }); err == nil {
		t.Error("joined without a port")
	}
	if err := h.Join(&f, func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := h.Replace("", &failingSink{name: "another"}); err != nil || f.told != 1 {
		t.Errorf("%v, told %d times", err, f.told)
	}
	h.Leave(&f)
	if err := h.Replace("another", nil); err != nil || f.told != 1 || refused.told != 0 || len(h.streams) != 0 {
		t.Errorf("%v, told %d times after it had left, %d remembered", err, f.told, len(h.streams))
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// TestFailuresAreTold: a failure that repeats itself is in the log once, and each hour with the number of those between; another
// cause is news, and so is a failure after the sink has run for a while.
func TestFailuresAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		k := &switchedSink{end: make(chan struct{})}
		full, gone := fmt.Errorf("disk full (%w)", ErrTryAgain), fmt.Errorf("directory moved (%w)", ErrTryAgain)
		k.fails.Store(&full)
		h, err := NewHub([]Sink{k}, nil, zap.New(core))
		if err != nil {
			t.Fatal(err)
		}
		h.Start(func(error) {})
		lines := func(after time.Duration) (n int) {
			time.Sleep(after)
			synctest.Wait()
			return len(logs.TakeAll())
		}
		if n := lines(50 * time.Minute); n != 1 || k.runs.Load() < 100 {
			t.Errorf("%d lines of %d failures", n, k.runs.Load())
		}
		runs := k.runs.Load()
		time.Sleep(11 * time.Minute)
		if l := logs.TakeAll(); len(l) != 1 || l[0].ContextMap()["since_the_last_line"].(int64) < int64(runs)-1 {
			t.Errorf("after an hour: %v, %d failures before", l, runs)
		}
		k.fails.Store(&gone)
		if n := lines(10 * time.Minute); n != 1 {
			t.Errorf("%d lines of another cause", n)
		}
		k.fails.Store(nil)
		lines(sinkQuiet + 2*sinkRetryMost)
		k.fails.Store(&gone)
		k.end <- struct{}{}
		if n := lines(10 * time.Minute); n != 1 {
			t.Errorf("%d lines when it fails after it has run", n)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// switchedSink fails at once while fails is set, else when it is told to end.
type switchedSink struct {
	testSink
	fails atomic.Pointer[error]
	end   chan struct{}
	runs  atomic.Int32
}

func (s *switchedSink) Run(ctx context.Context) error {
	s.runs.Add(1)
	if err := s.fails.Load(); err != nil {
		return *err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.end:
		return *s.fails.Load()
	}
}
