package agent

import (
	"maps"
	"net/netip"
	"time"
)

const (
	// nearLinger is how long a port stays excluded after its connection has ended: what was
	// sent may be seen later, on its way back through a NAT or from a retransmission.
	nearLinger = 60 * time.Second
	// nearSweep is the least time between two looks for ends that are over.
	nearSweep = time.Second
	// nearOld bounds how many ports of ended connections are excluded: a sensor that starts
	// and ends captures without end must not fill the kernel's program.
	nearOld = 32
	// nearAddresses bounds the addresses of the near end, those of the connections first.
	// An address takes up to 50 instructions of the kernel's program.
	nearAddresses = 16
)

// near is the near end of one connection or data socket of the agent.
type near struct {
	local netip.AddrPort
	tcp   bool
}

// nearEnds are those in use, with the zero time, and those that have ended, with the time
// until which they stay excluded.
type nearEnds map[near]time.Time

// forget drops the ends that are over, and the oldest of those that linger if there are too many.
func (n nearEnds) forget(now time.Time) {
	maps.DeleteFunc(n, func(_ near, until time.Time) bool { return !until.IsZero() && !now.Before(until) })
	for {
		var oldest near
		old := 0
		for end, until := range n {
			if until.IsZero() {
				continue
			}
			if old++; old == 1 || until.Before(n[oldest]) {
				oldest = end
			}
		}
		if old <= nearOld {
			return
		}
		delete(n, oldest)
	}
}

// firstOver is the time at which the first of those that linger is over; zero if none does.
func (n nearEnds) firstOver() (first time.Time) {
	for _, until := range n {
		if !until.IsZero() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	return first
}
