package sensor

import "time"

// SetStreams puts other limits and another window for duplicates in force while agents are connected. Sessions are counted
// against the new numbers from the next connection on, and none is ended for them; the reorder window holds for captures
// that begin from now on, Dedup for each frame. Held and HeldPerAddress stay.
func (s *Sensor) SetStreams(l Limits, window time.Duration) {
	l.setDefaults()
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.control.SetLimits(l.ofSessions())
	s.receiver.SetStreams(l.ofStreams(), window)
}
