package udpsock

import (
	"time"

	"golang.org/x/sys/windows"
)

const (
	// unreachableTries is how often a datagram is sent that an ICMP error has failed.
	unreachableTries = 3
	// roomPause is the time between two tries when the send buffer is full.
	roomPause = 500 * time.Microsecond
)

// tries is what one Send remembers of its failures.
type tries struct {
	wait     time.Duration // longest wait for room
	deadline time.Time     // end of that wait; zero: there was none yet
	again    int           // tries of the same datagram
}

// failedDatagrams does what an error asks for that n datagrams have met, the first of size bytes. It returns how many are given up, which
// are counted: 0 means that the same ones are to be sent again. An error is for the caller of Send.
func (s *Sender) failedDatagrams(err error, t *tries, n, size int) (drop int, _ error) {
	errno := errnoOf(err)
	switch errno {
	case windows.WSAEWOULDBLOCK, windows.WSAENOBUFS:
		now := time.Now()
		if t.deadline.IsZero() {
			t.deadline = now.Add(t.wait)
		}
		if now.Before(t.deadline) {
			s.counters.fullWaits.Add(1)
			time.Sleep(min(roomPause, t.deadline.Sub(now)))
			return 0, nil
		}
		s.dropped(&s.counters.droppedFull, errno, n)
		return n, nil
	case windows.WSAEMSGSIZE:
		if s.dontFragment && size > s.maxDatagram() {
			s.counters.shrinks.Add(1)
			return 0, &TooLongError{Size: size, Max: s.largest}
		}
		s.dropped(&s.counters.droppedTooLong, errno, n)
		return n, nil
	case windows.WSAEACCES:
		s.failed(&s.counters.refusals, errno)
		s.dropped(&s.counters.droppedOther, errno, n)
		return n, nil
	}
	if !isUnreachable(err) {
		return 0, err
	}
	s.failed(&s.counters.icmpErrors, errno)
	if t.again++; t.again < unreachableTries {
		return 0, nil
	}
	t.again = 0
	s.dropped(&s.counters.droppedUnreachable, errno, n)
	return n, nil
}
