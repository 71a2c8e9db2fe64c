package sink

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrNoSuchSink is what ReplaceSink says of a name that no sink has.
var ErrNoSuchSink = errors.New("no output of this name")

// ErrNotRunning is what is said of a change when the sinks do not run yet, or have been ended.
var ErrNotRunning = errors.New("replace output: the sensor does not run")

// Join begins a stream: begin gives it its feeds, by Attach. From then on it follows the list of sinks until it leaves.
func (h *Hub) Join(f Follower, begin func() error) error {
	h.changing.RLock()
	defer h.changing.RUnlock()
	if err := begin(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[f] = struct{}{}
	return nil
}

// Leave forgets a stream that has ended.
func (h *Hub) Leave(f Follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, f)
}

// Between calls change while no stream begins, and returns the streams that have begun before.
func (h *Hub) Between(change func()) []Follower {
	h.changing.Lock()
	defer h.changing.Unlock()
	change()
	return h.followers()
}

func (h *Hub) followers() []Follower {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.streams))
}

// Follow returns the feeds of a stream for the sinks that there are now: those of sinks that stay, and new ones. The others
// are ended by end. sum is what the agent has reported by now.
func (h *Hub) Follow(feeds []*Attachment, src Source, sum Forwarded, end func(*Attachment)) []*Attachment {
	runs := h.list()
	now := make([]*Attachment, 0, len(runs))
	for _, r := range runs {
		i := slices.IndexFunc(feeds, func(f *Attachment) bool { return f.run == r })
		if i < 0 {
			now = append(now, r.attach(src, sum))
			continue
		}
		now = append(now, feeds[i])
	}
	for _, f := range feeds {
		if !slices.Contains(runs, f.run) {
			end(f)
		}
	}
	return now
}

// Replace ends the sink of a name and puts another one in its place; see Sensor.ReplaceSink.
func (h *Hub) Replace(name string, by Sink) error {
	old, next, err := h.exchange(name, by)
	if err != nil {
		return err
	}
	for _, f := range h.followers() {
		f.Follow()
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
	next.ended.Add(sum)
	return err
}

// exchange changes the list. Streams that begin from now on have feeds of the new one.
func (h *Hub) exchange(name string, by Sink) (old, next *sinkRun, err error) {
	h.changing.Lock()
	defer h.changing.Unlock()
	if h.stop == nil {
		return nil, nil, ErrNotRunning
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
