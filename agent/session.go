package agent

import (
	"time"

	"go.uber.org/zap"

	"rpcapd/capture"
)

// newSession makes the session of a wish. Members of a fanout share a group.
func newSession(s *Supervisor, w wish, group *capture.Fanout) *session {
	t := w.target
	x := &session{
		agent:   s,
		target:  t,
		member:  w.member,
		several: w.pattern != "",
		group:   group,
		pause:   newBackoff(),
		changed: make(chan struct{}, 1),
		resumed: make(chan struct{}, 1),
	}
	x.status = SessionStatus{
		Line:    t.Line,
		Member:  w.member,
		Sensor:  sensorOf(t),
		Pattern: w.pattern,
		State:   StateConnecting,
		Since:   time.Now(),
	}
	if x.several {
		x.shared = s.shareFor(x.status.Sensor)
		x.complaints, x.chatter = x.shared.complaints, &x.shared.chatter
	} else {
		x.complaints, x.chatter = newComplaints(), &chatter{}
	}
	if !t.Select.IsZero() {
		x.status.Select = t.Select.String()
	}
	x.log = s.log.Named("session").With(zap.String("sensor", x.status.Sensor))
	if t.Line > 0 {
		x.log = x.log.With(zap.Int("line", t.Line))
	}
	if x.several {
		x.log = x.log.With(zap.String("for", t.Select.Name))
	}
	if w.member > 0 {
		x.log = x.log.With(zap.Int("member", w.member))
	}
	return x
}

// key tells which session of the old configuration is the same as one of the new.
func (x *session) key() string { return keyOf(x.target, x.member, x.several) }

// moveTo follows a line that stands elsewhere in the file now, or selects the interface by something else.
func (x *session) moveTo(w wish) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.status.Line, x.status.Pattern = w.target.Line, w.pattern
}

// resume wakes a session that a CLOSE has stopped.
func (x *session) resume() { signal(x.resumed) }
