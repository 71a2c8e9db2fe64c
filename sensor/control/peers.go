package control

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rpcapd/sensor/status"
)

// Peers describes the sessions, and after them the captures that have ended, summed up by name.
func (s *Server) Peers() []status.Peer {
	s.telling.Lock()
	defer s.telling.Unlock()
	var out []status.Peer
	for _, ss := range s.live(netip.Addr{}) {
		if !ss.isTest() {
			out = append(out, ss.snapshot())
		}
	}
	slices.SortFunc(out, func(a, b status.Peer) int {
		return strings.Compare(a.Name+"\x00"+a.Address.String(), b.Name+"\x00"+b.Address.String())
	})
	ended := s.history.List()
	for i := range ended {
		s.sessionLog.Fill(&ended[i])
	}
	return append(out, ended...)
}

// Counters returns the sums of the control side; those of the data side are zero.
func (s *Server) Counters() status.Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters
}

// live returns the sessions of an address, or all for the zero address.
func (s *Server) live(addr netip.Addr) []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*session
	for ss := range s.sessions {
		if !addr.IsValid() || ss.peer.Addr() == addr {
			out = append(out, ss)
		}
	}
	return out
}

// probeOlder makes the older sessions of the same address prove that their agent is alive: ExtraHop's agent leaves
// without closing its connection. It does not wait.
func (s *Server) probeOlder(newer *session) {
	for _, ss := range s.live(newer.peer.Addr()) {
		if ss != newer && ss.since.Before(newer.since) {
			ss.probe()
		}
	}
}

// awaitOlder waits until each older session of the same address has proved itself or has ended, at most a little longer
// than a probe may take.
func (s *Server) awaitOlder(ctx context.Context, newer *session) error {
	timer := time.NewTimer(probeTimeout + 500*time.Millisecond)
	defer timer.Stop()
	for _, ss := range s.live(newer.peer.Addr()) {
		if ss == newer || !ss.since.Before(newer.since) {
			continue
		}
		select {
		case <-ss.probe():
		case <-ss.closed:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return errStopped
		}
	}
	return nil
}
