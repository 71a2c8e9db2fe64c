package agent

import (
	"context"
	"errors"
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

func (x *session) run(ctx context.Context) {
	for next := x.waitInterface; next != nil && ctx.Err() == nil; {
		next = next(ctx)
	}
	if x.conn != nil {
		x.conn.Close()
	}
	x.setState(StateStopped, "")
}

// waitInterface holds a line whose interface does not exist: it never falls back
// to another one, so there is nothing to say to the sensor yet.
func (x *session) waitInterface(ctx context.Context) state {
	x.preselected = ""
	x.follow("", 0)
	if x.target.Select.IsZero() {
		return x.dial
	}
	for said := false; ; {
		list, err := x.agent.ifaces.list()
		if err != nil {
			x.complain("cannot look for the interface of this line", fmt.Errorf("list interfaces: %w", err))
		} else if i, ok := x.target.Select.First(list); ok {
			x.preselected = list[i].Name
			x.mu.Lock()
			x.status.Preselected = list[i].Name
			x.mu.Unlock()
			x.follow(list[i].Name, list[i].Index)
			return x.dial
		}
		x.setState(StateWaiting, "for "+x.target.Select.String())
		if !said {
			x.log.Warn("waiting for the interface of this line to appear", zap.Stringer("select", x.target.Select))
			said = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-x.changed:
		case <-time.After(backoffMax): // in case a change went unseen
		}
	}
}

// dial resolves the sensor anew and connects to the first address that answers.
func (x *session) dial(ctx context.Context) state {
	x.setState(StateConnecting, "")
	conn, err := x.connect(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		x.reason = err
		return x.wait
	}
	x.conn = conn
	return x.serve
}

// serve answers the sensor until one of the two has enough.
func (x *session) serve(ctx context.Context) state {
	began := time.Now()
	x.mu.Lock()
	x.status.Connects++
	x.status.Address = x.conn.RemoteAddr().String()
	x.mu.Unlock()
	x.setState(StateConnected, "waiting for the sensor to authenticate")
	x.say("connected", zap.Stringer("address", x.conn.RemoteAddr()), zap.String("preselected", x.preselected))

	err := x.serveConnection(ctx)
	x.conn.Close()
	x.agent.exclusions.end(x.near)
	x.conn = nil
	x.pause.Ended(time.Since(began))
	if ctx.Err() != nil {
		x.log.Info("session ended")
		return nil
	}
	x.reason, x.delay = err, 0
	switch {
	case x.served.Load():
		x.log.Info("session ended: the capture file has been sent")
		return nil
	case errors.Is(err, errClosedBySensor) && x.agent.policy.Load().OnClose == config.CloseStop:
		return x.stopped
	case errors.Is(err, errClosedBySensor):
		x.delay = closedPause
	case errors.As(err, new(interfaceChange)):
		if x.once(err.Error()) {
			x.log.Info("dialing again", zap.Error(err))
		}
		return x.waitInterface
	}
	return x.wait
}

// wait pauses before the next attempt.
func (x *session) wait(ctx context.Context) state {
	d := x.delay
	if d == 0 {
		d = x.pause.Pause()
	}
	x.delay = 0
	detail := "next attempt at " + time.Now().Add(d).Format(time.TimeOnly)
	if errors.Is(x.reason, errClosedBySensor) || errors.Is(x.reason, errHungUp) { // no error: a sensor may stop
		x.say("session ended by the sensor, dialing again", zap.NamedError("reason", x.reason))
		detail = x.reason.Error() + "; " + detail
	} else {
		x.complain("session failed, dialing again", x.reason)
	}
	x.setState(StateBackoff, detail)
	if backoff.Wait(ctx, d) != nil {
		return nil
	}
	return x.waitInterface
}

// stopped holds a session whose sensor said CLOSE, with OnClose = stop, until a
// reload or the end of the agent.
func (x *session) stopped(ctx context.Context) state {
	for len(x.resumed) > 0 {
		<-x.resumed
	}
	x.setState(StateStopped, "closed by the sensor; reload to dial again")
	x.log.Info("closed by the sensor, not dialing again until a reload", zap.String("OnClose", "stop"))
	select {
	case <-ctx.Done():
		return nil
	case <-x.resumed:
		return x.waitInterface
	}
}

func (x *session) setState(s SessionState, detail string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.status.State != s || x.status.Detail != detail {
		x.status.State, x.status.Detail, x.status.Since = s, detail, time.Now()
		x.agent.changed()
	}
	if s == StateWaiting {
		x.status.Preselected = ""
	}
}

// snapshot is the status of the session with the numbers of its running capture.
func (x *session) snapshot() SessionStatus {
	x.mu.Lock()
	st, live := x.status, x.live
	x.mu.Unlock()
	if live != nil {
		c := live.status()
		st.Capture = &c
		st.Total.add(c.Counters)
		st.SendDrops = addDrops(st.SendDrops, c.SendDrops)
		st.SendErrors = addErrors(st.SendErrors, c.SendErrors)
	}
	return st
}

// capturing and captureDone keep the status up to date over a capture's life.
func (x *session) capturing(c *capturing) {
	x.mu.Lock()
	x.live = c
	x.mu.Unlock()
	x.setState(StateCapturing, c.info.Interface)
}

func (x *session) captureDone(c *capturing) {
	st := c.status()
	st.Running = false
	x.mu.Lock()
	if x.live == c {
		x.live = nil
		x.status.Capture = &st
		x.status.Total.add(st.Counters)
		x.status.SendDrops = addDrops(x.status.SendDrops, st.SendDrops)
		x.status.SendErrors = addErrors(x.status.SendErrors, st.SendErrors)
	}
	x.mu.Unlock()
	x.setState(StateReady, "")
}
