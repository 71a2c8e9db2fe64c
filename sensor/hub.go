package sensor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// sinkCloseTimeout bounds how long the sinks may take to write what is queued and their statistics.
	sinkCloseTimeout = 3 * time.Second
	// sinkRetryFirst and sinkRetryMost bound the pause before a sink that has failed is run again; one that has run for
	// sinkStable begins with the short pause again.
	sinkRetryFirst = time.Second
	sinkRetryMost  = 30 * time.Second
	sinkStable     = time.Minute
)

// hub hands the frames of every stream to every sink.
type hub struct {
	runs []*sinkRun // one per sink, fixed
}

// newHub takes the options' sinks; the purpose is the last one.
func newHub(o *Options) (*hub, error) {
	h := &hub{}
	names := make(map[string]bool)
	add := func(k Sink, purpose bool) error {
		r := &sinkRun{sink: k, name: k.Name(), purpose: purpose, log: o.Log, feeds: make(map[*hubFeed]struct{}), state: SinkRunning, since: time.Now()}
		if names[r.name] {
			return fmt.Errorf("check options: two outputs have the name %q", r.name)
		}
		names[r.name] = true
		h.runs = append(h.runs, r)
		return nil
	}
	for _, k := range o.Sinks {
		if err := add(k, false); err != nil {
			return nil, err
		}
	}
	if o.Purpose != nil {
		if err := add(o.Purpose, true); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// attach gets a feed for a source from every sink.
func (h *hub) attach(src Source) []*hubFeed {
	feeds := make([]*hubFeed, 0, len(h.runs))
	for _, r := range h.runs {
		feeds = append(feeds, r.attach(src))
	}
	return feeds
}

// status describes the sinks in the order of the options.
func (h *hub) status() []SinkStatus {
	out := make([]SinkStatus, len(h.runs))
	for i, r := range h.runs {
		out[i] = r.status()
	}
	return out
}

// sinkRun is one sink at work.
type sinkRun struct {
	sink    Sink
	name    string
	purpose bool // its end is the sensor's
	log     *zap.Logger

	mu    sync.Mutex // after dataPort.mu, before the sink's own lock; guards what follows
	feeds map[*hubFeed]struct{}
	ended FeedCounters // of the feeds that were detached
	late  unsettled    // those of them whose counters still change
	state SinkState
	since time.Time
	err   string
	errAt time.Time
}

// hubFeed is one stream's feed of one sink. Frame and detach belong to whoever holds the stream's guard.
type hubFeed struct {
	Feed
	run *sinkRun
}

func (r *sinkRun) attach(src Source) *hubFeed {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &hubFeed{r.sink.Attach(src), r}
	r.feeds[f] = struct{}{}
	return f
}

// detach ends the feed.
func (f *hubFeed) detach(sum Forwarded) {
	r := f.run
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.feeds, f)
	f.Detach(sum)
	n := f.Counters()
	r.ended.add(n)
	r.late.add(f, n, r.change)
}

// change takes in what has become of frames that waited when their feed was detached; r.mu is held.
func (r *sinkRun) change(_ string, by FeedCounters) { r.ended.add(by) }

// status asks the sink and adds what only the hub knows.
func (r *sinkRun) status() SinkStatus {
	var st SinkStatus
	if k, ok := r.sink.(interface{ Status() SinkStatus }); ok {
		st = k.Status()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != SinkRunning || st.State == "" {
		st.State, st.Since = r.state, r.since
	}
	if st.Error == "" || r.errAt.After(st.ErrorAt) {
		st.Error, st.ErrorAt = r.err, r.errAt
	}
	r.late.settle(r.change)
	st.Name, st.Streams, st.FeedCounters = r.name, len(r.feeds), r.ended
	for f := range r.feeds {
		st.add(f.Counters())
	}
	return st
}

func (r *sinkRun) setState(s SinkState, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.state != s {
		r.state, r.since = s, now
	}
	if err != nil {
		r.err, r.errAt = err.Error(), now
	}
}

// run runs the sink, again where that may help, until ctx ends. stop ends the sensor. The error is that of an orderly
// end; failures before it are in the status and in the log.
func (r *sinkRun) run(ctx context.Context, stop context.CancelCauseFunc) error {
	pause, failures := sinkRetryFirst, 0
	for {
		r.setState(SinkRunning, nil)
		begin := time.Now()
		err := r.sink.Run(ctx)
		if ctx.Err() != nil {
			r.setState(SinkEnded, err)
			return err
		}
		gone := err == nil || errors.Is(err, ErrConsumerGone)
		again := errors.Is(err, ErrTryAgain) && !r.purpose
		switch {
		case again:
			r.setState(SinkRetrying, err)
		case gone:
			r.setState(SinkEnded, err)
		default:
			r.setState(SinkFailed, err)
		}
		if r.purpose {
			stop(sinkError{err})
			return nil
		}
		if !again {
			level := zap.ErrorLevel
			if gone {
				level = zap.InfoLevel
			}
			r.log.Log(level, "output has ended; its frames are counted as dropped, the others go on",
				zap.String("output", r.name), zap.Error(err))
			return nil
		}
		if time.Since(begin) >= sinkStable {
			pause, failures = sinkRetryFirst, 0
		}
		if failures++; failures == 1 {
			r.log.Warn("output has failed and is tried again; its frames are counted as dropped until then",
				zap.String("output", r.name), zap.Error(err))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			r.setState(SinkEnded, nil)
			return nil
		}
		pause = min(2*pause, sinkRetryMost)
	}
}

// runningSinks are the sinks' goroutines.
type runningSinks struct {
	cancel context.CancelFunc
	done   chan error // one result for each
	names  []string
}

// start runs every sink; the end of the purpose stops the sensor.
func (h *hub) start(stop context.CancelCauseFunc) *runningSinks {
	ctx, cancel := context.WithCancel(context.Background())
	s := &runningSinks{cancel: cancel, done: make(chan error, len(h.runs))}
	for _, r := range h.runs {
		s.names = append(s.names, r.name)
		go func() { s.done <- r.run(ctx, stop) }()
	}
	return s
}

// close tells the sinks to finish and waits for them.
func (s *runningSinks) close() error {
	s.cancel()
	timer := time.NewTimer(sinkCloseTimeout)
	defer timer.Stop()
	var errs []error
	for range s.names {
		select {
		case err := <-s.done:
			if errors.Is(err, ErrConsumerGone) {
				err = nil
			}
			errs = append(errs, err)
		case <-timer.C:
			errs = append(errs, fmt.Errorf("finish output (%s): not written within %v", strings.Join(s.names, ", "), sinkCloseTimeout))
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

// sinkError is the cause of a stop that the purpose has brought about.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// sinkFailure is the error of such a stop, nil if it only lost its reader.
func sinkFailure(cause error) error {
	var e sinkError
	if errors.As(cause, &e) && e.error != nil && !errors.Is(e.error, ErrConsumerGone) {
		return e.error
	}
	return nil
}
