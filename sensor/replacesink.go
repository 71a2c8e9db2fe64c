package sensor

import (
	"errors"
	"fmt"
	"slices"
)

// ReplaceSink ends the sink of a name in order and puts another one in its place, while agents send frames; other sinks do not
// notice. An empty name only adds a sink, and without one the sink of the name only ends. Each running stream goes from the
// old sink to the new one between two frames, so that each frame is in one of them; the new one may have the name of the
// old, and then goes on with its counters. The sink of Options.Purpose stays.
//
// The error is that of ending the old sink, as of Run; it has ended nevertheless. Only if it is ErrNoSuchSink or if the name
// of the new one is taken, nothing has changed.
func (s *Sensor) ReplaceSink(name string, by Sink) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.hub.replace(name, by)
}

// ErrNoSuchSink is what ReplaceSink says of a name that no sink has.
var ErrNoSuchSink = errors.New("no output of this name")

// join gives a stream its feeds. c is its capture, whose guard is known when register is called; the caller holds changing
// to read from before join to after register.
func (h *hub) join(c *capture) {
	c.stream.hub, c.stream.feeds = h, h.attach(c.stream.source, Forwarded{})
}

// register has the stream's feeds follow the list of sinks from now on.
func (h *hub) register(c *capture) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[c.stream] = c
}

// leave forgets a stream that has ended.
func (h *hub) leave(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
}

func (h *hub) captures() (all []*capture) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.streams {
		all = append(all, c)
	}
	return all
}

func (h *hub) replace(name string, by Sink) error {
	old, next, err := h.exchange(name, by)
	if err != nil {
		return err
	}
	for _, c := range h.captures() {
		c.follow(h)
	}
	if old == nil {
		return nil
	}
	if old.cancel != nil {
		err = finish(old)
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	sum := old.sum()
	if next == nil || next.name != old.name {
		h.ended[old.name] = sum
		return err
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	next.before = nil
	next.ended.add(sum)
	return err
}

// exchange changes the list. Streams that begin from now on have feeds of the new one.
func (h *hub) exchange(name string, by Sink) (old, next *sinkRun, err error) {
	h.changing.Lock()
	defer h.changing.Unlock()
	if h.stop == nil {
		return nil, nil, errNotRunning
	}
	runs := slices.Clone(h.list())
	at := len(runs)
	if at > 0 && runs[at-1].purpose {
		at-- // what is added comes before it
	}
	if name != "" {
		at = slices.IndexFunc(runs, func(r *sinkRun) bool { return r.name == name && !r.purpose })
		if at < 0 {
			return nil, nil, fmt.Errorf("replace output %q: %w", name, ErrNoSuchSink)
		}
		old = runs[at]
		runs = slices.Delete(runs, at, at+1)
	}
	if by != nil {
		next = newSinkRun(by, h.log)
		if slices.ContainsFunc(runs, func(r *sinkRun) bool { return r.name == next.name }) {
			return nil, nil, fmt.Errorf("replace output %q: another one has the name %q already", name, next.name)
		}
		if old != nil && old.name == next.name {
			next.before = old
		} else {
			next.ended = h.ended[next.name]
			delete(h.ended, next.name)
		}
		runs = slices.Insert(runs, at, next)
		next.launch(h.stop)
	}
	h.runs.Store(&runs)
	return old, next, nil
}

// follow has the stream's feeds agree with the list of sinks.
func (c *capture) follow(h *hub) {
	now := c.forwarded()
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.follow(h.list(), now)
}

// follow keeps the feeds of sinks that stay, ends those of others and begins new ones.
func (s *stream) follow(runs []*sinkRun, sum Forwarded) {
	if s.finished {
		return
	}
	feeds := make([]*hubFeed, 0, len(runs))
	for _, r := range runs {
		i := slices.IndexFunc(s.feeds, func(f *hubFeed) bool { return f.run == r })
		if i < 0 {
			feeds = append(feeds, r.attach(s.source, sum))
			continue
		}
		feeds = append(feeds, s.feeds[i])
	}
	for _, f := range s.feeds {
		if !slices.Contains(runs, f.run) {
			s.end(f, sum)
		}
	}
	s.feeds = feeds
}
