package control

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
	// portPause is the pause before the agent is asked again when a data port will be free soon.
	portPause = time.Second
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
	server  *Server
	log     *zap.Logger
	ctl     *connection
	peer    netip.AddrPort // of the agent
	local   netip.AddrPort // what the agent dialled
	port    uint16         // of the listener, as the rules name it
	rules   []*rule.Rule   // those that the agent may use, all with the same credentials
	probes  chan chan struct{}
	reloads chan struct{} // capacity 1: there are new rules
	closed  chan struct{} // closed when the session is over, before its last datagrams are in

	answered  atomic.Bool // the agent has answered something
	displaced bool        // it had to make room for another; guarded by Server.mu

	since         time.Time
	lastReply     time.Time           // to STATS
	heldFor       error               // why it is held; logged already
	listed        rpcap.InterfaceList // the agent's last list, empty if it is not known or too long
	authenticated bool
	chosen        rule.Choice
	linkType      uint32
	capture       Capture // nil but between STARTCAP and the end of it
	captured      bool    // there has been a capture
	idle          int     // STATS running with the same ifrecv, and that
	idleAt        uint32
	down          error  // the interface is, as others have been told
	lateWanted    bool   // wait returns at the answer to a request that was given up
	singly        bool   // the agent is asked to send no super-packets
	connected     string // the name under which sessionLog has counted the session
	host          string // its name for the chosen interface
	freeName      func()

	mu     sync.Mutex  // a leaf
	status status.Peer // guarded by mu; counters are filled in by snapshot
	live   Capture     // guarded by mu; the capture whose counters snapshot reads
}

func newSession(s *Server, conn net.Conn, port uint16, rules []*rule.Rule) *session {
	peer, local := address.OfTCP(conn.RemoteAddr()), address.OfTCP(conn.LocalAddr())
	now := time.Now()
	ctl := newConnection(rpcap.NewConn(conn, rpcap.MaxReplyAccepted))
	ctl.limit(s.budget, peer.Addr())
	return &session{
		server: s,
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
	s.server.repeats.Some(s.log, s.peer.Addr().String()+" ended", maxTurns, level, "session ended", zap.String("reason", reason(err)))
}

// neverAnswered notes the end of a connection that may never have been an agent's: a port scanner, a health check, a program
// of another protocol. It leaves no peer behind.
func (s *session) neverAnswered(err error) {
	s.server.mu.Lock()
	s.server.counters.Silent++
	s.server.mu.Unlock()
	s.server.repeats.Once(s.log, s.repeatKey(err), zap.InfoLevel, "connection ended before the other side answered anything",
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
	return s.server.history.Add(st)
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// failed notes the last thing that went wrong under the session's name.
func (s *session) failed(why error) {
	s.mu.Lock()
	name := s.status.Name
	s.mu.Unlock()
	s.server.sessionLog.Failed(name, why, sessionCause(why))
}

// repeatKey is by what a reason of an agent is known over its sessions.
func (s *session) repeatKey(why error) string {
	return s.server.repeats.Key(s.peer.Addr().String(), why.Error(), time.Now())
}

// setState shows the state to others, and why it is so; nil if there is nothing to say.
func (s *session) setState(st status.State, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.State, s.status.Reason, s.status.Cause = st, reason(why), sessionCause(why)
}

// snapshot is the status with current counters.
func (s *session) snapshot() status.Peer {
	s.mu.Lock()
	st, c := s.status, s.live
	s.mu.Unlock()
	if c != nil {
		c.Fill(&st)
	}
	s.server.sessionLog.Fill(&st)
	return st
}
