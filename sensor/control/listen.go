package control

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	"rpcapd/numbers"
	"rpcapd/sensor/address"

	"go.uber.org/zap"
)

const (
	// displaceAfter is how long an agent may take for its first answer when its place is wanted.
	displaceAfter = time.Second
	// acceptPause is the pause after an accept that failed, for want of descriptors mostly.
	acceptPause = 100 * time.Millisecond
)

// run accepts until the listener is closed.
func (l *listener) run(ctx context.Context) {
	for {
		conn, err := l.tcp.Accept()
		switch {
		case err == nil:
			l.server.accept(ctx, conn, l.port)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			l.server.repeats.Once(l.server.log, "accept "+err.Error(), zap.ErrorLevel, "cannot accept agents; raise the limit of open files if it is exhausted", zap.Error(err))
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
				return
			}
		}
	}
}

// accept starts a session, or holds the connection if it is unwanted.
func (s *Server) accept(ctx context.Context, conn net.Conn, port uint16) {
	peer := address.OfTCP(conn.RemoteAddr())
	refused := ""
	s.mu.Lock()
	s.counters.Accepted++
	mine := s.rules.Usable(port, peer.Addr())
	if len(mine) == 0 {
		refused = "no rule of this port allows its address"
	}
	switch {
	case s.stopping:
		s.mu.Unlock()
		_ = conn.Close()
		return
	case refused != "":
	case s.perAddress[peer.Addr()] >= s.limits.SessionsPerAddress:
		if !s.displace(peer.Addr()) {
			refused = "its address has " + numbers.Things(uint64(s.perAddress[peer.Addr()]), "session") + " already"
		}
	case len(s.sessions) >= s.limits.Sessions:
		if !s.displace(netip.Addr{}) {
			refused = "there are already as many sessions as Sessions allows: " + strconv.Itoa(len(s.sessions))
		}
	}
	if refused != "" {
		s.counters.Refused++
		if len(mine) == 0 {
			s.counters.Unwanted++
		}
		s.mu.Unlock()
		s.held.add(conn, peer.Addr(), refused)
		return
	}
	ss := newSession(s, conn, port, mine)
	s.sessions[ss] = struct{}{}
	s.perAddress[peer.Addr()]++
	s.wg.Go(func() {
		ss.run(ctx)
		s.leave(ss)
	})
	s.mu.Unlock()
}

// displace makes room for one session: of those that have not answered anything for a second the oldest must go, so that
// connections without a word cannot keep agents out. With an address only its own are meant. It reports whether there was
// one. s.mu is held.
func (s *Server) displace(addr netip.Addr) bool {
	var oldest *session
	for ss := range s.sessions {
		if (!addr.IsValid() || ss.peer.Addr() == addr) && !ss.answered.Load() && !ss.displaced && (oldest == nil || ss.since.Before(oldest.since)) {
			oldest = ss
		}
	}
	if oldest == nil || time.Since(oldest.since) < displaceAfter {
		return false
	}
	oldest.displaced = true
	_ = oldest.ctl.conn.Close() // its session ends
	return true
}

// leave forgets a session.
func (s *Server) leave(ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, ss)
	s.counters.Ended++
	if s.perAddress[ss.peer.Addr()]--; s.perAddress[ss.peer.Addr()] <= 0 {
		delete(s.perAddress, ss.peer.Addr())
	}
}
