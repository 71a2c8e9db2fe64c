package agent

import (
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/capture"
	"rpcapd/config"
)

func newSession(s *Supervisor, t config.Target, member int, group *capture.Fanout) *session {
	x := &session{
		agent:   s,
		target:  t,
		member:  member,
		group:   group,
		pause:   backoff.Backoff{First: backoffFirst, Most: backoffMax, Stable: stableAfter},
		changed: make(chan struct{}, 1),
		resumed: make(chan struct{}, 1),

		complaints: newComplaints(),
	}
	x.status = SessionStatus{
		Line:   t.Line,
		Member: member,
		Sensor: net.JoinHostPort(t.Host, fmt.Sprint(t.Port)),
		State:  StateConnecting,
		Since:  time.Now(),
	}
	if !t.Select.IsZero() {
		x.status.Select = t.Select.String()
	}
	x.log = s.log.Named("session").With(zap.String("sensor", x.status.Sensor))
	if t.Line > 0 {
		x.log = x.log.With(zap.Int("line", t.Line))
	}
	if member > 0 {
		x.log = x.log.With(zap.Int("member", member))
	}
	return x
}

// key tells which session of the old configuration is the same as one of the new.
func (x *session) key() string {
	return fmt.Sprintf("%s#%d/%d", x.target.Key(), x.member, x.target.Fanout)
}

// moveTo follows a line that stands elsewhere in the file now.
func (x *session) moveTo(t config.Target) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.status.Line = t.Line
}

// resume wakes a session that a CLOSE has stopped.
func (x *session) resume() { signal(x.resumed) }
