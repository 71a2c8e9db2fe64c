package udpsock

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unreachableTries is how often a send is repeated after errors that ICMP can cause, until something is sent. A pending
// error eats one send; where the route is gone each send fails, and there is no point in going on.
const unreachableTries = 3

// progress is called when something was sent.
func (s *Sender) progress(a *attempt) {
	a.unreachable, a.tooLong = 0, false
	if s.inRow != 0 || a.superRefused != 0 || a.alone || a.again {
		s.passed(a)
	}
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
