package udpsock

import (
	"sync/atomic"
	"syscall"
)

// Counters is what a Sender has done since it was made. Datagrams handed to Send or SendMany are either in Datagrams, in
// one of the Dropped fields, or were given back with an error that says so.
type Counters struct {
	Datagrams    uint64 // the kernel took them
	Bytes        uint64 // UDP payload of those
	Runs         uint64 // calls of Send and SendMany
	Sends        uint64 // system calls that sent something: Datagrams / Sends is the gain of sending in batches
	SuperPackets uint64 // of those, with segmentation offload

	DroppedFull        uint64 // datagrams: the send buffer stayed full
	DroppedUnreachable uint64 // datagrams: no route, interface down, or errors faster than they could be resent
	DroppedTooLong     uint64 // datagrams: too long for UDP
	DroppedOther       uint64 // datagrams: refused by this host (EPERM, EACCES), or an error that Send returned

	ICMPErrors   uint64 // errors that a send met and that ICMP or the routing table can cause; which of them is not known
	Refusals     uint64 // sends that this host refused: EPERM, EACCES
	PartialSends uint64 // sendmmsg stopped before its last message, and sending was resumed there
	FullWaits    uint64 // waits for room in the send buffer (EAGAIN)
	MemoryWaits  uint64 // waits because kernel or device were short of memory (ENOBUFS, ENOMEM)
	Shrinks      uint64 // datagrams found too long for the path: TooLongErrors returned
	Downgrades   uint64 // times that offload was switched off, was done without for a run, or was given smaller super-packets
}

// Dropped is the sum of the datagrams dropped for whatever cause.
func (c Counters) Dropped() uint64 {
	return c.DroppedFull + c.DroppedUnreachable + c.DroppedTooLong + c.DroppedOther
}

// counters are added to by the owner of the Sender only, a few times per system call, and read by anybody.
type counters struct {
	datagrams, bytes, runs, sends, superPackets                                     atomic.Uint64
	droppedFull, droppedUnreachable, droppedTooLong, droppedOther                   atomic.Uint64
	icmpErrors, refusals, partialSends, fullWaits, memoryWaits, shrinks, downgrades atomic.Uint64
}

// sent counts what one system call took.
func (c *counters) sent(datagrams, bytes int) {
	c.sends.Add(1)
	c.datagrams.Add(uint64(datagrams))
	c.bytes.Add(uint64(bytes))
}

func (c *counters) snapshot() Counters {
	return Counters{
		Datagrams: c.datagrams.Load(), Bytes: c.bytes.Load(), Runs: c.runs.Load(), Sends: c.sends.Load(),
		SuperPackets: c.superPackets.Load(),
		DroppedFull:  c.droppedFull.Load(), DroppedUnreachable: c.droppedUnreachable.Load(),
		DroppedTooLong: c.droppedTooLong.Load(), DroppedOther: c.droppedOther.Load(),
		ICMPErrors: c.icmpErrors.Load(), Refusals: c.refusals.Load(), PartialSends: c.partialSends.Load(), FullWaits: c.fullWaits.Load(),
		MemoryWaits: c.memoryWaits.Load(), Shrinks: c.shrinks.Load(), Downgrades: c.downgrades.Load(),
	}
}

// errnoKinds is how many different errnos are told apart. The last takes all that come later, so that the sum is right.
const errnoKinds = 24

// byErrno counts by errno. The owner of the Sender adds, anybody reads.
type byErrno struct {
	used  atomic.Int32
	kinds [errnoKinds]struct {
		errno syscall.Errno // written before used says that it is there
		count atomic.Uint64
	}
}

func (b *byErrno) add(errno syscall.Errno, n int) {
	used := int(b.used.Load())
	i := 0
	for i < used && b.kinds[i].errno != errno {
		i++
	}
	i = min(i, errnoKinds-1)
	if i == used {
		b.kinds[i].errno = errno
		b.used.Store(int32(used + 1))
	}
	b.kinds[i].count.Add(uint64(n))
}

// each calls f in the order in which the errnos were first met.
func (b *byErrno) each(f func(syscall.Errno, uint64)) {
	for i := range b.used.Load() {
		f(b.kinds[i].errno, b.kinds[i].count.Load())
	}
}
