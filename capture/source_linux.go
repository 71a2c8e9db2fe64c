package capture

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/udpstr"
)

// leaseFrames is how many frames of a block are presented at a time. Enough for a
// sender to look a whole super-packet of 64 KiB ahead at any frame size, and few
// enough that headers just read are still in the cache when the frames are copied.
const leaseFrames = 2048

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

// Next: see Source.
func (s *ringSource) Next(deadline time.Time) ([]udpstr.Frame, error) {
	s.Release()
	if !s.gate.enter() {
		return nil, net.ErrClosed
	}
	frames, err := s.next(deadline)
	if err != nil && s.gate.leave() {
		_ = s.free() // err counts, and Close has returned
	}
	return frames, err
}

func (s *ringSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	if s.end != nil {
		return nil, s.end
	}
	if frames, err := s.take(); frames != nil || err != nil {
		return frames, err
	}
	if s.drained() {
		return nil, s.finish(io.EOF)
	}
	now := time.Now()
	if !deadline.IsZero() && !now.Before(deadline) {
		return nil, os.ErrDeadlineExceeded
	}
	return s.await(now, deadline)
}

// Release: see Source.
func (s *ringSource) Release() {
	if !s.gate.inside() {
		return
	}
	if s.leased && s.walk.left == 0 {
		s.giveBack()
	}
	if s.gate.leave() {
		_ = s.free() // Close has returned, so nobody is left to tell
	}
}

// take presents the next frames if any are ready. It looks at no more than one
// ring's worth of blocks, so that a flood that is refused in user space cannot
// hold it.
func (s *ringSource) take() ([]udpstr.Frame, error) {
	for range s.ring.shape.count {
		if !s.leased && !s.lease() {
			return nil, nil
		}
		n, refused, err := s.walk.fill(s.frames)
		if err != nil {
			return nil, s.finish(opError("read", s.options.Interface, fmt.Errorf("ring block %d: %w", s.cursor, err)))
		}
		if refused > 0 {
			s.refused.Add(refused)
		}
		if n > 0 {
			s.delivered.Add(uint64(n))
			s.bytes.Add(s.walk.bytes)
			return s.frames[:n], nil
		}
		s.giveBack()
	}
	return nil, nil
}

func (s *ringSource) lease() bool {
	block := s.ring.block(s.cursor)
	h := headerOf(block)
	if !h.ready() {
		return false
	}
	s.leased = true
	s.walk.begin(block, s.vms.at(h.number()))
	return true
}

func (s *ringSource) giveBack() {
	headerOf(s.walk.block).release()
	s.leased, s.walk.left = false, 0
	if s.cursor++; s.cursor == s.ring.shape.count {
		s.cursor = 0
	}
}

// finish makes err what Next returns from now on.
func (s *ringSource) finish(err error) error {
	s.end = err
	return err
}

// await blocks until frames are ready, something happens, or the deadline has passed;
// the zero time is none.
func (s *ringSource) await(now, deadline time.Time) ([]udpstr.Frame, error) {
	for {
		events, err := s.ring.wait(now, s.pollTimeout(now, deadline))
		if s.gate.closed() {
			return nil, net.ErrClosed
		}
		if err != nil {
			return nil, s.finish(opError("read", s.options.Interface, err))
		}
		now = time.Now()
		failed := events&^unix.POLLIN != 0
		if failed || s.link != linkUp {
			if err := s.checkLink(now, failed); err != nil {
				return nil, s.finish(err)
			}
		}
		if frames, err := s.take(); frames != nil || err != nil {
			return frames, err
		}
		if s.drained() {
			return nil, s.finish(io.EOF)
		}
		if s.woken.Swap(false) || !deadline.IsZero() && !now.Before(deadline) {
			return nil, os.ErrDeadlineExceeded
		}
	}
}

// Wake makes a Next that waits, or else the next one that would, return
// os.ErrDeadlineExceeded. Any goroutine may call it, at any time.
func (s *ringSource) Wake() {
	s.woken.Store(true)
	s.nudge.nudge()
}

// pollTimeout is the time to the next thing that no descriptor announces; below 0
// there is none.
func (s *ringSource) pollTimeout(now, deadline time.Time) time.Duration {
	timeout := time.Duration(-1)
	sooner := func(t time.Time) {
		if d := max(0, t.Sub(now)); timeout < 0 || d < timeout {
			timeout = d
		}
	}
	if !deadline.IsZero() {
		sooner(deadline)
	}
	if s.link != linkUp {
		sooner(s.linkCheck)
	}
	if d := s.draining.Load(); d != nil {
		sooner(*d)
	}
	return timeout
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
