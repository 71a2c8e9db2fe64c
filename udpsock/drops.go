package udpsock

import (
	"sync/atomic"
	"syscall"
)

// Drop is one reason for which datagrams were dropped: what the system said of them. EAGAIN stands for a send buffer that
// stayed full. Where an errno comes from is not known: a firewall, the routing table or an ICMP message can give the same.
type Drop struct {
	Errno     syscall.Errno
	Datagrams uint64
}

// dropReasons is how many different reasons are told apart. The last takes all that come later, so that the sum is right.
const dropReasons = 24

// drops counts by errno. The owner of the Sender adds, anybody reads.
type drops struct {
	used    atomic.Int32
	reasons [dropReasons]struct {
		errno     syscall.Errno // written before used says that it is there
		datagrams atomic.Uint64
	}
}

func (d *drops) add(errno syscall.Errno, n int) {
	used := int(d.used.Load())
	i := 0
	for i < used && d.reasons[i].errno != errno {
		i++
	}
	i = min(i, dropReasons-1)
	if i == used {
		d.reasons[i].errno = errno
		d.used.Store(int32(used + 1))
	}
	d.reasons[i].datagrams.Add(uint64(n))
}

// dropped counts n datagrams in one of the Dropped fields and by their reason.
func (s *Sender) dropped(field *atomic.Uint64, errno syscall.Errno, n int) {
	field.Add(uint64(n))
	s.drops.add(errno, n)
}

// Drops returns the reasons in the order in which they were first met. The sum of their datagrams is that of
// Counters.Dropped.
func (s *Sender) Drops() []Drop {
	list := make([]Drop, s.drops.used.Load())
	for i := range list {
		r := &s.drops.reasons[i]
		list[i] = Drop{r.errno, r.datagrams.Load()}
	}
	return list
}

// DropReasons is the length of Drops: it grows when a new reason is met. It costs one load.
func (s *Sender) DropReasons() int { return int(s.drops.used.Load()) }

// Refused is the errno with which the system refuses everything at present, 0 if it does not. Meanwhile one datagram a
// second is tried.
func (s *Sender) Refused() syscall.Errno { return syscall.Errno(s.refusedNow.Load()) }
