package udpsock

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// unreachableTries is how often a send is repeated after errors that ICMP can cause, until something is sent. A pending
	// error eats one send; where the route is gone each send fails, and there is no point in going on.
	unreachableTries = 3
	// refusedRuns is how many runs in a row EINVAL, or a firewall, may refuse as super-packets until offload is switched off for good.
	refusedRuns = 3
	// memoryPause is the time between two tries when the kernel is short of memory, which no event says the end of.
	memoryPause = 200 * time.Microsecond
)

// attempt is what one Send remembers of its failures.
type attempt struct {
	wait     time.Duration // longest wait for room
	deadline time.Time     // end of that wait; zero: there was none yet
	single   bool          // without offload from here on
	alone    bool          // one datagram only, until one has passed

	superRefused unix.Errno // why a super-packet of this run was refused; its datagrams have yet to pass

	// Since something was sent:
	unreachable int  // errors that ICMP or the routing table can cause
	tooLong     bool // EMSGSIZE, which may have been a pending ICMP error
	again       bool // EACCES, likewise
}

// progress is called when something was sent.
func (s *Sender) progress(a *attempt) {
	a.unreachable, a.tooLong = 0, false
	if s.inRow != 0 || a.superRefused != 0 || a.alone || a.again {
		s.passed(a)
	}
}

// failure is what could not be sent.
type failure struct {
	tried int // datagrams of the super-packet, or 1: sendmmsg tells of its first message
	left  int // datagrams from the first that failed to the end of the run
	size  int // bytes of the first
}

// recover does what an error asks for and returns how many datagrams are given up, which are counted: 0 means that the
// same ones are to be sent again. An error is for the caller of Send.
func (s *Sender) recover(a *attempt, errno unix.Errno, f failure) (drop int, err error) {
	c := &s.counters
	switch errno {
	case unix.EINTR:
		return 0, nil

	case unix.EAGAIN:
		if s.waitForRoom(a, unix.POLLOUT) {
			c.fullWaits.Add(1)
			return 0, nil
		}
		s.dropped(&c.droppedFull, errno, f.left)
		return f.left, nil

	case unix.ENOBUFS, unix.ENOMEM:
		if s.waitForRoom(a, 0) {
			c.memoryWaits.Add(1)
			return 0, nil
		}
		s.dropped(&c.droppedFull, errno, f.left)
		return f.left, nil

	case unix.EIO:
		if f.tried > 1 {
			s.endOffload(fmt.Errorf("segmentation offload: the device or route does not support it: %w", os.NewSyscallError("sendmsg", errno)))
			return 0, nil
		}

	case unix.EINVAL:
		if f.tried > 1 {
			if s.tooLong(f.size) { // kernels before 6.14 say so with EINVAL
				return s.shrink(a, f)
			}
			a.single = true
			s.countRefusedRun(errno)
			return 0, nil
		}

	case unix.EMSGSIZE:
		if s.tooLong(f.size) && (s.dontFragment || f.tried > 1) {
			return s.shrink(a, f)
		}
		if !a.tooLong { // the error of an ICMP message that does not concern datagrams as small as these
			a.tooLong = true
			return 0, nil
		}
		if f.tried > 1 {
			s.halve(f.tried, errno)
			return 0, nil
		}
		s.dropped(&c.droppedTooLong, errno, 1)
		return 1, nil

	case unix.EPERM, unix.EACCES:
		return s.refuse(a, errno, f), nil

	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENETDOWN, unix.ENONET, unix.ENOPROTOOPT,
		unix.EPROTO, unix.EOPNOTSUPP, unix.EADDRNOTAVAIL, unix.ENODEV, unix.ENXIO, unix.ETIMEDOUT:
		s.failed(&c.icmpErrors, errno)
		if a.unreachable++; a.unreachable <= unreachableTries {
			return 0, nil
		}
		s.dropped(&c.droppedUnreachable, errno, f.left)
		return f.left, nil
	}
	s.dropped(&c.droppedOther, errno, f.left)
	return f.left, s.writeError(fmt.Errorf("%d datagrams of %d bytes: %w", f.left, f.size, os.NewSyscallError("sendmsg", errno)))
}

// waitForRoom waits for the events, or a pause if there are none, and says false when the time of this Send is used up.
func (s *Sender) waitForRoom(a *attempt, events int16) bool {
	now := s.call.now()
	if a.deadline.IsZero() {
		a.deadline = now.Add(a.wait)
	}
	left := a.deadline.Sub(now)
	if left <= 0 {
		return false
	}
	if events == 0 {
		left = min(left, memoryPause)
	}
	s.call.poll(s.fd, events, left)
	return true
}

// tooLong reads the path MTU and says whether a datagram is beyond it.
func (s *Sender) tooLong(size int) bool { return size > s.maxDatagram() }

// shrink deals with datagrams that the path no longer takes. If they may be fragmented, the rest of the run goes without
// offload, as do the runs to come (superSize).
func (s *Sender) shrink(a *attempt, f failure) (drop int, err error) {
	if s.dontFragment {
		s.counters.shrinks.Add(1)
		return 0, &TooLongError{Size: f.size, Max: s.largest}
	}
	a.single = true
	return 0, nil
}

// halve makes super-packets half as long as the one that was refused.
func (s *Sender) halve(tried int, errno unix.Errno) {
	if s.segments = max(1, tried/2); s.segments == 1 {
		s.endOffload(fmt.Errorf("segmentation offload: super-packets of two datagrams refused: %w", os.NewSyscallError("sendmsg", errno)))
		return
	}
	s.counters.downgrades.Add(1)
}

func (s *Sender) endOffload(why error) {
	s.segments = 1
	s.counters.downgrades.Add(1)
	s.offload.Store(&offload{why: why})
}
