package sensor

import "time"

// SetStreams puts other limits and another window for duplicates in force while agents are connected. Sessions are counted
// against the new numbers from the next connection on, and none is ended for them; the reorder window holds for captures
// that begin from now on, Dedup for each frame. Held and HeldPerAddress stay.
func (s *Sensor) SetStreams(l Limits, window time.Duration) {
	l.setDefaults()
	s.reloading.Lock()
	defer s.reloading.Unlock()
	var d *dedup
	var changed bool
	running := s.hub.Between(func() { d, changed = s.exchangeStreams(l, window) })
	if !changed {
		return
	}
	for _, f := range running {
		c := f.(*capture)
		c.guard.Lock()
		c.stream.dedup, c.stream.number = d, d.stream()
		c.guard.Unlock()
	}
}

// exchangeStreams: a capture that begins has both the old values, and is known to the hub afterwards, or the new ones: Hub.Between calls it.
func (s *Sensor) exchangeStreams(l Limits, window time.Duration) (d *dedup, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
	if d = s.dedup; window == d.span() {
		return d, false
	}
	s.counters.DedupForgotten += d.forgotten()
	d = newDedup(window)
	s.dedup = d
	return d, true
}

// streamSettings are for a capture that begins.
func (s *Sensor) streamSettings() (Limits, *dedup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits, s.dedup
}

// span is the window, 0 if there is none.
func (d *dedup) span() time.Duration {
	if d == nil {
		return 0
	}
	return d.window
}
