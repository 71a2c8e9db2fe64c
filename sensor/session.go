package sensor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

const (
	// replyTimeout is how long an agent may take for an answer during the handshake; a wrong password or an interface
	// list can take seconds.
	replyTimeout = 15 * time.Second
	// statsInterval and statsTimeout supervise a running capture.
	statsInterval = 5 * time.Second
	statsTimeout  = 10 * time.Second
	// probeTimeout is how long an older session of the same address may be silent when a new one comes.
	probeTimeout = 3 * time.Second
	// provenAlive is how long an answer to STATS counts as the answer to a probe.
	provenAlive = time.Second
	// retryInterval is the pause before the agent is asked for its interfaces again.
	retryInterval = 60 * time.Second
	// minSession is how long a connection stays open at least when it is the sensor that ends it, and brokenHold when
	// the agent cannot go on by itself: C agents redial at once, thousands of times a second.
	minSession = 5 * time.Second
	brokenHold = 30 * time.Second
)

// errStopped ends sessions when the sensor stops.
var errStopped = errors.New("the sensor stops")

// state is one state of a session: it does what is to be done in it and returns the next one, nil at the end. The error
// is the reason for the end.
type state func(context.Context) (state, error)

// session is one control connection. All fields but those under mu belong to its goroutine.
type session struct {
	sensor  *Sensor
	log     *zap.Logger
	ctl     *control
	peer    netip.AddrPort // of the agent
	local   netip.AddrPort // what the agent dialled
	port    uint16         // of the listener, as the rules name it
	rules   []*rule.Rule   // those that the agent may use, all with the same credentials
	probes  chan chan struct{}
	reloads chan struct{} // capacity 1: there are new rules
	closed  chan struct{} // closed when the session is over, before its last datagrams are in

	answered  atomic.Bool // the agent has answered something
	displaced bool        // it had to make room for another; guarded by Sensor.mu

	since         time.Time
	lastReply     time.Time           // to STATS
	heldFor       error               // why it is held; logged already
	listed        rpcap.InterfaceList // the agent's last list, empty if it is not known or too long
	authenticated bool
	chosen        rule.Choice
	linkType      uint32
	capture       *receive.Capture // nil but between STARTCAP and the end of it
	captured      bool             // there has been a capture
	idle          int              // STATS running with the same ifrecv, and that
	idleAt        uint32
	down          error  // the interface is, as others have been told
	lateWanted    bool   // wait returns at the answer to a request that was given up
	singly        bool   // the agent is asked to send no super-packets
	connected     string // the name under which sessionLog has counted the session
	host          string // its name for the chosen interface
	freeName      func()

	mu     sync.Mutex       // a leaf
	status status.Peer      // guarded by mu; counters are filled in by snapshot
	live   *receive.Capture // guarded by mu; the capture whose counters snapshot reads
}

func newSession(s *Sensor, conn net.Conn, port uint16, rules []*rule.Rule) *session {
	peer, local := address.OfTCP(conn.RemoteAddr()), address.OfTCP(conn.LocalAddr())
	now := time.Now()
	ctl := newControl(rpcap.NewConn(conn, rpcap.MaxReplyAccepted))
	ctl.limit(s.budget, peer.Addr())
	return &session{
		sensor: s,
		log:    s.log.With(zap.Stringer("agent", peer)),
		ctl:    ctl,
		peer:   peer, local: local, port: port, rules: rules, since: now,
		probes:   make(chan chan struct{}, 8),
		reloads:  make(chan struct{}, 1),
		closed:   make(chan struct{}),
		freeName: func() {},
		status: status.Peer{
			Name: s.names.host(peer.Addr()), Address: peer, State: status.StateAuthenticating, Since: now, Sessions: 1,
		},
	}
}

// run works through the states. It returns when the connection is closed and the capture's last datagrams are in.
func (s *session) run(ctx context.Context) {
	var reader sync.WaitGroup
	reader.Go(s.ctl.run)
	s.log.Debug("agent connected")
	var err error
	for next := state(s.authenticate); next != nil && err == nil; {
		next, err = next(ctx)
	}
	s.freeName()
	close(s.closed)
	s.setState(status.StateEnding, err)
	silent := !s.answered.Load() && !errors.Is(err, errStopped)
	if err != nil && !silent && !errors.Is(err, errStopped) && !orderly(err) {
		s.failed(err)
	}
	if errors.As(err, new(*captureError)) {
		s.captureDied()
	}
	s.endCapture(status.TailUnknown, 0)
	s.pause(ctx, err)
	s.ctl.close()
	reader.Wait()
	s.setState(status.StateEnded, err)
	if silent {
		s.neverAnswered(err)
		return
	}
	level := zap.WarnLevel
	switch news := s.remember(err); {
	case errors.Is(err, errStopped), orderly(err) && news:
		level = zap.InfoLevel
	case !news:
		// The same again, of an agent that comes and goes.
		s.log.Debug("session ended", zap.String("reason", reason(err)))
		return
	}
	s.sensor.repeats.Some(s.log, s.peer.Addr().String()+" ended", maxTurns, level, "session ended", zap.String("reason", reason(err)))
}

// neverAnswered notes the end of a connection that may never have been an agent's: a port scanner, a health check, a program
// of another protocol. It leaves no peer behind.
func (s *session) neverAnswered(err error) {
	s.sensor.mu.Lock()
	s.sensor.counters.Silent++
	s.sensor.mu.Unlock()
	s.sensor.repeats.Once(s.log, s.repeatKey(err), zap.InfoLevel, "connection ended before the other side answered anything",
		zap.String("reason", reason(err)))
}

// remember keeps the status of a session that has never captured, so that the summary says why. It reports whether the
// end is worth a line of the log.
func (s *session) remember(err error) (news bool) {
	if s.captured || orderly(err) && s.heldFor == nil { // a test call leaves nothing behind
		return true
	}
	st := s.snapshot()
	if errors.Is(err, errStopped) {
		st.Reason, st.Cause = reason(s.heldFor), sessionCause(s.heldFor)
	}
	return s.sensor.history.Add(st)
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// brokenError marks an end after which the agent is out of step; the connection is held longer.
type brokenError struct{ error }

func (e brokenError) Unwrap() error { return e.error }

// pause delays the closing of a connection that the agent has not closed itself.
func (s *session) pause(ctx context.Context, err error) {
	hold := minSession - time.Since(s.since)
	if errors.As(err, new(brokenError)) {
		hold = brokenHold
	}
	if err == nil || orderly(err) || errors.Is(err, errNoReply) || s.ctl.lost || s.agentLeft() || hold <= 0 {
		return
	}
	s.setState(status.StateHeld, err)
	timer := time.NewTimer(hold)
	defer timer.Stop()
	in := s.ctl.in
	for n := 0; ; {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case _, ok := <-in:
			if !ok && s.ctl.left() {
				return
			}
			if n++; !ok || n > maxStrays {
				in = nil // it cannot be followed, or says too much
			}
		}
	}
}

// agentLeft reports whether the connection is at its end.
func (s *session) agentLeft() bool {
	select {
	case _, ok := <-s.ctl.in:
		return !ok && s.ctl.left()
	default:
		return false
	}
}

// failed notes the last thing that went wrong under the session's name.
func (s *session) failed(why error) {
	s.mu.Lock()
	name := s.status.Name
	s.mu.Unlock()
	s.sensor.sessionLog.Failed(name, why, sessionCause(why))
}

// repeatKey is by what a reason of an agent is known over its sessions.
func (s *session) repeatKey(why error) string {
	return s.sensor.repeats.Key(s.peer.Addr().String(), why.Error(), time.Now())
}

// setState shows the state to others, and why it is so; nil if there is nothing to say.
func (s *session) setState(st status.State, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.State, s.status.Reason, s.status.Cause = st, reason(why), sessionCause(why)
}

// event is what ends a wait.
type event uint8

const (
	eventTimer event = iota
	eventStop
	eventData   // the data connection has ended (TCP)
	eventReload // there are new rules
	eventAsk    // the stream may come from another port; STATS tell
	eventLate   // the answer to a request that was given up
)

// wait serves the connection until the given time, the sensor's stop or the end of the data connection. Probes are
// answered, messages that come unasked are judged.
func (s *session) wait(ctx context.Context, until time.Time) (event, error) {
	s.ctl.release()
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	var data, ask <-chan struct{}
	if s.capture != nil {
		data, ask = s.capture.Ended(), s.capture.StatsWanted()
	}
	if s.lateWanted {
		ask = nil // the agent does not answer
	}
	for {
		select {
		case <-timer.C:
			return eventTimer, nil
		case <-ctx.Done():
			return eventStop, nil
		case <-data:
			return eventData, nil
		case <-ask:
			return eventAsk, nil
		case <-s.reloads:
			return eventReload, nil
		case answer := <-s.probes:
			if err := s.answerProbe(ctx); err != nil {
				return 0, err
			}
			close(answer)
		case m, ok := <-s.ctl.in:
			late := s.lateWanted && s.ctl.abandoned[m.header.Type] > 0
			if err := s.heard(m, ok); err != nil {
				return 0, err
			}
			if late {
				return eventLate, nil
			}
		}
	}
}

// heard judges what has come unasked; ok is false at the end of the connection.
func (s *session) heard(m message, ok bool) error {
	if !ok {
		return s.ctl.ended()
	}
	agentErr, err := s.ctl.unsolicited(m)
	if err == nil && agentErr != nil {
		s.log.Debug("agent reports an error unasked", zap.Error(agentErr))
	}
	return err
}

// listening runs f, which may take seconds, and hears meanwhile what the agent says: its end ends f.
func (s *session) listening(ctx context.Context, f func(context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctl.release()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	for {
		select {
		case <-done:
			return nil
		case m, ok := <-s.ctl.in:
			if err := s.heard(m, ok); err != nil {
				cancel()
				<-done
				return err
			}
		}
	}
}

// answerProbe asks for STATS unless the agent has just answered; any reply proves it alive.
func (s *session) answerProbe(ctx context.Context) error {
	if time.Since(s.lastReply) < provenAlive {
		return nil
	}
	err := s.askStats(ctx, probeTimeout)
	if ctx.Err() != nil {
		return nil // wait returns next
	}
	return err
}

// probe asks the session to prove that its agent is alive. The channel is closed when it has, and stays open when the
// session cannot be asked; s.closed is closed when it has not.
func (s *session) probe() <-chan struct{} {
	answer := make(chan struct{})
	select {
	case s.probes <- answer:
	default:
		close(answer) // eight others ask already
	}
	return answer
}

// snapshot is the status with current counters.
func (s *session) snapshot() status.Peer {
	s.mu.Lock()
	st, c := s.status, s.live
	s.mu.Unlock()
	if c != nil {
		c.Fill(&st)
	}
	s.sensor.sessionLog.Fill(&st)
	return st
}
