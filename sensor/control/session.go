package control

import (
	"errors"
	"net"
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
			Name: s.names.host(peer.Addr(), ""), Address: peer, State: status.StateAuthenticating, Since: now, Sessions: 1,
		},
	}
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

// sessionCause is the cause of what happens to a session, CauseNone for the stop of sensor or agent.
func sessionCause(err error) status.Cause {
	if err == nil || errors.Is(err, errStopped) || orderly(err) {
		return status.CauseNone
	}
	if c := status.CauseOf(err); c != status.CauseOther {
		return c
	}
	switch {
	case errors.Is(err, errNoReply):
		return status.CauseConnection
	case errors.As(err, new(*captureError)):
		return status.CauseInterface
	}
	return status.CauseOther
}

// snaplen is what the chosen rule asks for, in bytes.
func (s *session) snaplen() uint32 {
	if n := s.chosen.Rule.Snaplen; n > 0 {
		return n
	}
	return rpcap.MaxSnaplen
}
