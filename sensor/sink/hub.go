package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/repeat"
)

const (
	// sinkCloseTimeout bounds how long the sinks may take to write what is queued and their statistics.
	sinkCloseTimeout = 3 * time.Second
	// sinkRetryFirst and sinkRetryMost bound the pause before a sink that has failed is run again; one that has run for
	// sinkStable begins with the short pause again.
	sinkRetryFirst = time.Second
	sinkRetryMost  = 30 * time.Second
	sinkStable     = time.Minute
	// sinkQuiet is how long a sink must not fail before its failures are news for the log again.
	sinkQuiet = 2 * sinkStable
)

// Hub hands the frames of every stream to every sink.
type Hub struct {
	log  *zap.Logger
	runs atomic.Pointer[[]*sinkRun] // one per sink, the purpose last; replaced as a whole, with changing held

	// changing is held to read while a stream is given its feeds and registered, and to write while the list of sinks
	// changes: a stream that has feeds of the old list is known then. Before portPool.mu.
	changing sync.RWMutex
	stop     context.CancelCauseFunc // of the sensor; nil before start and after close; guarded by changing
	ended    map[string]Counters     // of sinks that a reload has ended, by name; guarded by changing

	mu      sync.Mutex // a leaf
	streams map[Follower]struct{}
}

// NewHub makes a hub of the sinks and of the purpose, which may be nil: the sink whose end is that of all.
func NewHub(sinks []Sink, purpose Sink, log *zap.Logger) (*Hub, error) {
	h := &Hub{log: log, ended: make(map[string]Counters), streams: make(map[Follower]struct{})}
	if purpose != nil {
		sinks = append(slices.Clip(sinks), purpose)
	}
	var runs []*sinkRun
	for i, k := range sinks {
		r := newSinkRun(k, log)
		r.purpose = purpose != nil && i == len(sinks)-1
		if slices.ContainsFunc(runs, func(o *sinkRun) bool { return o.name == r.name }) {
			return nil, fmt.Errorf("check options: two outputs have the name %q", r.name)
		}
		runs = append(runs, r)
	}
	h.runs.Store(&runs)
	return h, nil
}

// list is the sinks that there are now.
func (h *Hub) list() []*sinkRun { return *h.runs.Load() }

// Attach gets a feed for a source from every sink. told is what the agent has reported by now.
func (h *Hub) Attach(src Source, told Forwarded) []*Attachment {
	runs := h.list()
	feeds := make([]*Attachment, 0, len(runs))
	for _, r := range runs {
		feeds = append(feeds, r.attach(src, told))
	}
	return feeds
}

// Status describes the sinks in the order of the options.
func (h *Hub) Status() []Status {
	var out []Status
	for _, r := range h.list() {
		out = append(out, r.status())
	}
	return out
}

func newSinkRun(k Sink, log *zap.Logger) *sinkRun {
	return &sinkRun{
		sink: k, name: k.Name(), log: log, done: make(chan error, 1),
		feeds: make(map[*Attachment]struct{}), state: Running, since: time.Now(),
	}
}

func (r *sinkRun) attach(src Source, told Forwarded) *Attachment {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &Attachment{r.sink.Attach(src), r, told}
	r.feeds[f] = struct{}{}
	return f
}

// Detach ends the feed. sum is what the agent has reported by now.
func (f *Attachment) Detach(sum Forwarded) {
	r := f.run
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.feeds, f)
	f.Feed.Detach(sum.Since(f.told))
	n := f.Counters()
	r.ended.Add(n)
	r.late.Add(f, n, r.change)
}

// change takes in what has become of frames that waited when their feed was detached; r.mu is held.
func (r *sinkRun) change(_ string, by Counters) { r.ended.Add(by) }

// status asks the sink and adds what only the hub knows.
func (r *sinkRun) status() Status {
	var st Status
	if k, ok := r.sink.(interface{ Status() Status }); ok {
		st = k.Status()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != Running || st.State == "" {
		st.State, st.Since = r.state, r.since
	}
	if st.Error == "" || r.errAt.After(st.ErrorAt) {
		st.Error, st.ErrorAt = r.err, r.errAt
	}
	st.Name, st.Streams, st.Counters = r.name, len(r.feeds), r.total()
	return st
}

// total is what became of all frames; r.mu is held.
func (r *sinkRun) total() Counters {
	r.late.Settle(r.change)
	sum := r.ended
	if r.before != nil {
		sum.Add(r.before.sum())
	}
	for f := range r.feeds {
		sum.Add(f.Counters())
	}
	return sum
}

func (r *sinkRun) sum() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total()
}

func (r *sinkRun) setState(s State, err error) {
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
	pause := backoff.Backoff{First: sinkRetryFirst, Most: sinkRetryMost, Stable: sinkStable}
	told := repeat.Memory{Quiet: sinkQuiet}
	for {
		r.setState(Running, nil)
		begin := time.Now()
		err := r.sink.Run(ctx)
		if ctx.Err() != nil {
			r.setState(Ended, err)
			return err
		}
		gone := err == nil || errors.Is(err, ErrConsumerGone)
		again := errors.Is(err, ErrTryAgain) && !r.purpose
		switch {
		case again:
			r.setState(Retrying, err)
		case gone:
			r.setState(Ended, err)
		default:
			r.setState(Failed, err)
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
		pause.Ended(time.Since(begin))
		now := time.Now()
		if missed, ok := told.Due(told.Key("", err.Error(), now), 1, now); ok {
			r.log.Warn("output has failed and is tried again; its frames are counted as dropped until then",
				zap.String("output", r.name), zap.Error(err), zap.Int("since_the_last_line", missed))
		}
		if backoff.Wait(ctx, pause.Pause()) != nil {
			r.setState(Ended, nil)
			return nil
		}
	}
}

// Start runs every sink; the end of the purpose stops the sensor.
func (h *Hub) Start(stop context.CancelCauseFunc) {
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

// Close ends all sinks in order. None is added any more.
func (h *Hub) Close() error {
	h.changing.Lock()
	h.stop = nil
	runs := h.list()
	h.changing.Unlock()
	return finish(runs...)
}

// sinkError is the cause of a stop that the purpose has brought about.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// Failure is the error of such a stop, nil if it only lost its reader.
func Failure(cause error) error {
	var e sinkError
	if errors.As(cause, &e) && e.error != nil && !errors.Is(e.error, ErrConsumerGone) {
		return e.error
	}
	return nil
}

// Follower is a running stream, as far as the hub has to know it.
type Follower interface {
	// Follow makes the stream's feeds agree with the list of sinks, by Hub.Follow, under the stream's guard.
	Follow()
}
