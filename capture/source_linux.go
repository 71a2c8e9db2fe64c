package capture

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// leaseFrames is how many frames of a block are presented at a time. Enough for a
// sender to look a whole super-packet of 64 KiB ahead at any frame size, and few
// enough that headers just read are still in the cache when the frames are copied.
const leaseFrames = 2048

// linkPhase is what Next knows about the interface. Only linkUp is announced by the
// socket (POLLERR with ENETDOWN when it ends); the way back is polled for.
//
//	up ── ENETDOWN ──> down ── flags say up ──> up
//	 └──── bound index −1 ────> deleted ── name is back, bind ──> down
//	                               └── after timeToBack: ErrInterfaceGone
type linkPhase uint8

const (
	linkUp linkPhase = iota
	linkDown
	linkDeleted
)

// ringSource is a Source over a ring. The fields of the reader belong to the
// goroutine that calls Next and Release, and to whom the gate lets free them.
type ringSource struct {
	options Options // snap length and retire time resolved; Filter is the current one (mu)
	// linkType, loopback: fixed.
	linkType uint32
	loopback bool
	nudge    nudge
	gate     gate

	// The reader's.
	cursor     int // block that is leased, or is leased next
	leased     bool
	walk       walker
	frames     []udpstr.Frame // reused for each lease
	end        error          // once set, all that Next returns
	link       linkPhase
	linkCheck  time.Time // when to look at the link again, unless it is up
	linkLost   time.Time // when the interface was deleted
	timeToBack time.Duration

	delivered, bytes, refused atomic.Uint64

	// The reader calls vms.at once per block, SetFilter changes it together with the
	// kernel's filter, so that the reader never sees one without the other.
	vms vmHistory

	// Lock order: mu, then vms.mu.
	mu       sync.Mutex
	ring     *ring // replaced by the reader only, under mu
	index    int   // interface index
	joined   bool  // member of options.Fanout
	links    *linkQuery
	kernel   Stats  // sums of the kernel's counters
	missed   uint64 // the device's counter when last read
	closed   bool
	draining atomic.Pointer[time.Time] // by when to end; nil: not draining
	woken    atomic.Bool               // Wake was called
}

func (s *ringSource) LinkType() uint32 { return s.linkType }

// SetFilter: see Source.
func (s *ringSource) SetFilter(p filter.Program) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return opError("set", s.options.Interface, fmt.Errorf("filter: %w", net.ErrClosed))
	}
	if s.draining.Load() != nil {
		return nil
	}
	s.vms.mu.Lock()
	defer s.vms.mu.Unlock()
	if err := s.ring.attach(p.Kernel); err != nil {
		return opError("set", s.options.Interface, err)
	}
	s.options.Filter = p
	s.vms.change(p.VM, s.ring.newestBlock)
	return nil
}

// Stats: see Source. What Next has done is read first, so that the sums never show
// more delivered than received.
func (s *ringSource) Stats() (Stats, error) {
	delivered, refused := s.delivered.Load(), s.refused.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !s.closed {
		err = s.collect()
	}
	st := s.kernel
	st.Delivered, st.Bytes, st.Refused = delivered, s.bytes.Load(), refused
	return st, err
}

// collect adds what the kernel has counted since the last time. mu is held.
func (s *ringSource) collect() error {
	st, err := s.ring.statistics()
	if err != nil {
		return opError("read", s.options.Interface, err)
	}
	s.kernel.Received += uint64(st.Packets)
	s.kernel.RingDrops += uint64(st.Drops)
	s.kernel.RingFreeze += uint64(st.Freeze_q_cnt)
	// A device that is gone, or counts from zero again, adds nothing.
	if link, err := s.links.byIndex(s.index); err == nil {
		if link.missed > s.missed {
			s.kernel.InterfaceDrops += link.missed - s.missed
		}
		s.missed = link.missed
	}
	return nil
}

// Wake makes a Next that waits, or else the next one that would, return
// os.ErrDeadlineExceeded. Any goroutine may call it, at any time.
func (s *ringSource) Wake() {
	s.woken.Store(true)
	s.nudge.nudge()
}

// Close: see Source. The last numbers are taken now, also if the ring is freed later.
func (s *ringSource) Close() error {
	first, free := s.gate.close()
	if !first {
		return nil
	}
	s.mu.Lock()
	_ = s.collect() // without them the numbers of the last collect stay
	s.closed = true
	s.mu.Unlock()
	if free {
		return s.free()
	}
	s.nudge.nudge()
	return nil
}

// free frees everything. The gate has let the caller, or nobody else knows the source yet.
func (s *ringSource) free() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.leased, s.walk, s.frames = false, walker{}, nil // no pointer into the mapping stays
	err := s.closeRing()
	if s.links != nil {
		s.links.close()
	}
	return err
}

// closeRing closes the socket and leaves the fanout group with it. mu is held.
func (s *ringSource) closeRing() error {
	r := s.ring
	if r == nil {
		return nil
	}
	if s.joined {
		s.joined = false
		return s.options.Fanout.leave(s.index, r.close)
	}
	return r.close()
}
