package sensor

import (
	"time"

	"rpcapd/sensor/control"
	"rpcapd/sensor/receive"
)

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

// ofSessions are the limits of the control side.
func (l Limits) ofSessions() control.Limits {
	return control.Limits{
		Sessions: l.Sessions, SessionsPerAddress: l.SessionsPerAddress, Held: l.Held, HeldPerAddress: l.HeldPerAddress,
	}
}

// ofStreams are the limits of the receiving side.
func (l Limits) ofStreams() receive.Limits { return receive.Limits{Window: l.Window, Hold: l.Hold} }
