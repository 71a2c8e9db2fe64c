package udpsock

import (
	"time"

	"golang.org/x/sys/unix"
)

const (
	// refusedPause is the time between two tries while everything is refused. A capture of 100,000 frames a second would
	// otherwise go through the firewall of the host 2,000 times a second for nothing, and fill its log.
	refusedPause = time.Second
	// refusedInRow is how many datagrams that were handed over one by one are refused in a row until all is taken to be
	// refused: a firewall that takes some of them only must not stop the others.
	refusedInRow = 8
)

// refuse deals with EPERM and EACCES: a rule of this host takes what is sent, all of it or the super-packets only.
//
//	super-packet refused ─> its first datagram alone ── passes ──> the rest of the run one by one; after three
//	                              │                                such runs in succession offload ends
//	                              └─ refused ─> drop the run; one datagram a second until one passes
func (s *Sender) refuse(a *attempt, errno unix.Errno, f failure) (drop int) {
	s.failed(&s.counters.refusals, errno)
	if f.tried > 1 {
		a.single, a.superRefused = true, errno
		return 0
	}
	if errno == unix.EACCES && !a.again { // over IPv6 it may be a pending ICMP error, which has eaten the send
		a.again = true
		return 0
	}
	if s.inRow++; s.inRow < refusedInRow && !a.alone && a.superRefused == 0 {
		s.dropped(&s.counters.droppedOther, errno, 1)
		return 1
	}
	s.refusedNow.Store(uint32(errno))
	s.refusedUntil = s.call.now().Add(refusedPause)
	s.dropped(&s.counters.droppedOther, errno, f.left)
	return f.left
}

// hold is asked while everything is refused, and says whether that was so lately that it is not tried again yet: then it has
// dropped the datagrams. If it is time, one datagram goes alone.
func (s *Sender) hold(a *attempt, datagrams int) bool {
	if s.call.now().Before(s.refusedUntil) {
		s.dropped(&s.counters.droppedOther, s.Refused(), datagrams)
		return true
	}
	a.alone = true
	return false
}

// passed takes back what refuse has noted, after something was sent.
func (s *Sender) passed(a *attempt) {
	s.inRow = 0
	if s.refusedNow.Load() != 0 {
		s.refusedNow.Store(0)
	}
	a.alone, a.again = false, false
	if errno := a.superRefused; errno != 0 {
		a.superRefused = 0
		s.countRefusedRun(errno)
	}
}
