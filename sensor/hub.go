package sensor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
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
	log  *zap.Logger
	runs atomic.Pointer[[]*sinkRun] // one per sink, the purpose last; replaced as a whole, with changing held

	// changing is held to read while a stream is given its feeds and registered, and to write while the list of sinks
	// changes: a stream that has feeds of the old list is known then. Before portPool.mu.
	changing sync.RWMutex
	stop     context.CancelCauseFunc // of the sensor; nil before start and after close; guarded by changing
	ended    map[string]FeedCounters // of sinks that a reload has ended, by name; guarded by changing

	mu      sync.Mutex // a leaf
	streams map[*stream]*capture
}

// newHub takes the options' sinks; the purpose is the last one.
func newHub(o *Options) (*hub, error) {
	h := &hub{log: o.Log, ended: make(map[string]FeedCounters), streams: make(map[*stream]*capture)}
	names := make(map[string]bool)
	var runs []*sinkRun
	add := func(k Sink, purpose bool) error {
		r := newSinkRun(k, o.Log)
		r.purpose = purpose
		if names[r.name] {
			return fmt.Errorf("check options: two outputs have the name %q", r.name)
		}
		names[r.name] = true
		runs = append(runs, r)
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
	h.runs.Store(&runs)
	return h, nil
}

// list is the sinks that there are now.
func (h *hub) list() []*sinkRun { return *h.runs.Load() }

// attach gets a feed for a source from every sink. told is what the agent has reported by now.
func (h *hub) attach(src Source, told Forwarded) []*hubFeed {
	runs := h.list()
	feeds := make([]*hubFeed, 0, len(runs))
	for _, r := range runs {
		feeds = append(feeds, r.attach(src, told))
	}
	return feeds
}

// status describes the sinks in the order of the options.
func (h *hub) status() []SinkStatus {
	var out []SinkStatus
	for _, r := range h.list() {
		out = append(out, r.status())
	}
	return out
}

// sinkRun is one sink at work.
type sinkRun struct {
	sink    Sink
	name    string
	purpose bool // its end is the sensor's
	log     *zap.Logger
	cancel  context.CancelFunc // set by launch
	done    chan error         // capacity 1: the result of run

	mu     sync.Mutex // after dataPort.mu, before the sink's own lock; guards what follows
	feeds  map[*hubFeed]struct{}
	ended  FeedCounters // of the feeds that were detached, and of sinks of the name before it
	late   unsettled    // those of them whose counters still change
	before *sinkRun     // that this one has taken the place of and that has not ended yet
	state  SinkState
	since  time.Time
	err    string
	errAt  time.Time
}

// hubFeed is one stream's feed of one sink. Frame and detach belong to whoever holds the stream's guard.
type hubFeed struct {
	Feed
	run  *sinkRun
	told Forwarded // what the agent had reported when it began
}

func newSinkRun(k Sink, log *zap.Logger) *sinkRun {
	return &sinkRun{
		sink: k, name: k.Name(), log: log, done: make(chan error, 1),
		feeds: make(map[*hubFeed]struct{}), state: SinkRunning, since: time.Now(),
	}
}

func (r *sinkRun) attach(src Source, told Forwarded) *hubFeed {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &hubFeed{r.sink.Attach(src), r, told}
	r.feeds[f] = struct{}{}
	return f
}

// detach ends the feed. sum is what the agent has reported by now.
func (f *hubFeed) detach(sum Forwarded) {
	r := f.run
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.feeds, f)
	f.Detach(sum.since(f.told))
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
	st.Name, st.Streams, st.FeedCounters = r.name, len(r.feeds), r.total()
	return st
}

// total is what became of all frames; r.mu is held.
func (r *sinkRun) total() FeedCounters {
	r.late.settle(r.change)
	sum := r.ended
	if r.before != nil {
		sum.add(r.before.sum())
	}
	for f := range r.feeds {
		sum.add(f.Counters())
	}
	return sum
}

func (r *sinkRun) sum() FeedCounters {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total()
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
	pause, failures := backoff.Backoff{First: sinkRetryFirst, Most: sinkRetryMost, Stable: sinkStable}, 0
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
		if pause.Ended(time.Since(begin)) {
			failures = 0
		}
		if failures++; failures == 1 {
			r.log.Warn("output has failed and is tried again; its frames are counted as dropped until then",
				zap.String("output", r.name), zap.Error(err))
		}
		if backoff.Wait(ctx, pause.Pause()) != nil {
			r.setState(SinkEnded, nil)
			return nil
		}
	}
}

// start runs every sink; the end of the purpose stops the sensor.
func (h *hub) start(stop context.CancelCauseFunc) {
	h.changing.Lock()
	defer h.changing.Unlock()
	h.stop = stop
	for _, r := range h.list() {
		r.launch(stop)
	}
}

// launch runs the sink until its cancel is called.
func (r *sinkRun) launch(stop context.CancelCauseFunc) {
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	go func() { r.done <- r.run(ctx, stop) }()
}

// finish tells sinks to write what is queued and waits for them.
func finish(runs ...*sinkRun) error {
	var names []string
	for _, r := range runs {
		r.cancel()
		names = append(names, r.name)
	}
	timer := time.NewTimer(sinkCloseTimeout)
	defer timer.Stop()
	var errs []error
	for _, r := range runs {
		select {
		case err := <-r.done:
			if errors.Is(err, ErrConsumerGone) {
				err = nil
			}
			errs = append(errs, err)
		case <-timer.C:
			errs = append(errs, fmt.Errorf("finish output (%s): not written within %v", strings.Join(names, ", "), sinkCloseTimeout))
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

// close ends all sinks in order. None is added any more.
func (h *hub) close() error {
	h.changing.Lock()
	h.stop = nil
	runs := h.list()
	h.changing.Unlock()
	return finish(runs...)
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
