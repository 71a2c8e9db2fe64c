package capture

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// linkPollInterval is how often an interface that is not up is looked at.
const linkPollInterval = 250 * time.Millisecond

// checkLink follows the interface through its phases. failed: the socket has
// reported an error. The error returned ends the capture.
func (s *ringSource) checkLink(now time.Time, failed bool) error {
	if failed {
		errno, err := unix.GetsockoptInt(s.ring.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && errno != 0 && unix.Errno(errno) != unix.ENETDOWN {
			err = unix.Errno(errno)
		}
		if err != nil {
			return opError("read", s.options.Interface, os.NewSyscallError("recvmsg", err)) // which would have given it
		}
		if s.link == linkUp {
			s.enter(linkDown, now, InterfaceDown, nil)
		}
	} else if now.Before(s.linkCheck) {
		return nil
	}
	s.linkCheck = now.Add(linkPollInterval)

	s.mu.Lock() // held over the queries, which share a socket with Stats
	phase, kind, problem, err := s.nextPhase(now)
	s.mu.Unlock()
	if kind != 0 {
		s.enter(phase, now, kind, problem)
	}
	return err
}

// enter changes the phase and tells of it.
func (s *ringSource) enter(p linkPhase, now time.Time, kind EventKind, problem error) {
	s.link = p
	if p == linkDeleted {
		s.linkLost = now
	}
	if s.options.OnEvent != nil {
		s.options.OnEvent(Event{Kind: kind, Interface: s.options.Interface, Down: p == linkDown, Err: problem})
	}
}

// nextPhase looks where the interface is. kind 0: nothing new. mu is held.
func (s *ringSource) nextPhase(now time.Time) (p linkPhase, kind EventKind, problem, err error) {
	switch s.link {
	case linkDown:
		if s.ring.boundIndex() < 0 {
			return linkDeleted, InterfaceDeleted, nil, nil
		}
		if link, err := s.links.byIndex(s.index); err == nil && link.up {
			return linkUp, InterfaceUp, nil, nil
		}
	case linkDeleted:
		link, err := s.links.byName(s.options.Interface)
		if err == nil && s.sameLink(link) && s.draining.Load() == nil {
			problem, err := s.moveTo(link)
			if err == nil {
				if s.ring.linkUp {
					return linkUp, InterfaceBack, problem, nil
				}
				return linkDown, InterfaceBack, problem, nil
			}
		}
		if now.Sub(s.linkLost) >= s.timeToBack {
			return 0, 0, nil, opError("read", s.options.Interface, fmt.Errorf("%w: deleted, and not back after %v", ErrInterfaceGone, s.timeToBack))
		}
	}
	return 0, 0, nil, nil
}

// sameLink says whether an interface can continue the capture: the sensor was told
// one link type.
func (s *ringSource) sameLink(link linkState) bool {
	t, err := linkTypeOf(link.arp)
	return err == nil && t == s.linkType && (link.arp == unix.ARPHRD_LOOPBACK) == s.loopback
}

// moveTo continues on a new interface of the old name. The socket and its ring stay,
// with the filter and what is in the ring. A member of a fanout group needs a new
// socket, because it cannot be bound again; its new ring begins when the old one is
// empty and the interface is up. problem is what could not be restored. mu is held.
func (s *ringSource) moveTo(link linkState) (problem, err error) {
	if s.joined {
		return nil, s.replaceRing(link)
	}
	if err := s.ring.bind(link.index, unix.ETH_P_ALL); err != nil {
		return nil, err
	}
	s.index, s.missed = link.index, link.missed
	if s.options.Promiscuous {
		problem = s.ring.promiscuous(link.index)
	}
	return problem, nil
}

var errNotYet = errors.New("not yet")

// replaceRing: see moveTo. mu is held.
func (s *ringSource) replaceRing(link linkState) error {
	h := headerOf(s.ring.block(s.cursor))
	if !link.up || s.leased || h.ready() || !h.untouched() {
		return errNotYet
	}
	_ = s.collect() // the last numbers of the old ring, if it still has any
	missed := s.missed
	s.missed = link.missed
	if err := s.start(link); err != nil {
		s.missed = missed
		return err
	}
	return nil
}
