package udpsock

import (
	"time"

	"golang.org/x/sys/unix"
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

// failure is what could not be sent.
type failure struct {
	tried int // datagrams of the super-packet, or 1: sendmmsg tells of its first message
	left  int // datagrams from the first that failed to the end of the run
	size  int // bytes of the first
}

// memoryPause is the time between two tries when the kernel is short of memory, which no event says the end of.
const memoryPause = 200 * time.Microsecond

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
