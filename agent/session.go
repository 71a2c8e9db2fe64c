package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/capture"
	"rpcapd/config"
)

// session is one ActiveClient line (or one member of its fanout group): it waits
// for its interface, dials, serves, backs off, for ever.
type session struct {
	agent  *Supervisor
	target config.Target
	member int // 1… within a fanout group, 0 without
	group  *capture.Fanout
	log    *zap.Logger

	cancel context.CancelCauseFunc // set by Supervisor.start
	done   chan struct{}

	changed chan struct{} // an interface changed; one pending signal is enough
	resumed chan struct{} // a reload asks a stopped session to go on

	pause backoff.Backoff

	// What the states hand to each other; only the session goroutine touches it.
	preselected string
	conn        net.Conn
	lastGood    netip.Addr // of the sensor, connected to last
	near        near       // its near end, excluded from all captures
	reason      error
	requests    budget        // what requests have cost, but for
	captures    budget        // those that begin and end captures
	delay       time.Duration // overrides the back-off when not zero

	complaints complaints

	served atomic.Bool // its capture file has been sent (ReadOnce)

	mu         sync.Mutex
	status     SessionStatus
	live       *capturing  // the running capture, for its numbers
	hangUp     func(error) // ends the connection; nil when there is none
	connection uint64      // counts them
	followed   followed
	redial     redial
	chatter    chatter
}

// state is one state of a session: it does the work of the state and returns the
// next one, nil when the session is over.
type state func(context.Context) state

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

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
