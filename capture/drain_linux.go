package capture

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Drain: see Source. The filter that refuses all is not enough: a frame that had
// passed the old one may still be on its way to the ring on another CPU, and would
// be counted after the numbers are final. Binding the socket elsewhere waits for it.
func (s *ringSource) Drain(limit time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return opError("drain", s.options.Interface, net.ErrClosed)
	}
	if s.draining.Load() != nil {
		return nil
	}
	deadline := time.Now().Add(limit)
	err := s.ring.rejectAll()
	if err != nil {
		err = opError("drain", s.options.Interface, err)
	}
	s.settle()
	s.draining.Store(&deadline)
	s.nudge.nudge()
	return err
}

// settle returns when no frame that passed the former filter can still be written
// to the ring. mu is held.
func (s *ringSource) settle() {
	if !s.joined && s.ring.bind(s.index, noProtocol) == nil {
		return
	}
	// A member of a fanout group cannot be bound anew, and a deleted interface not at
	// all. membarrier(2) waits for an RCU grace period too, and where a sandbox
	// forbids it, time must do.
	const membarrierGlobal = 1
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0); errno != 0 {
		time.Sleep(settleTime)
	}
}

// settleTime is many times what a frame needs from the filter to the ring.
const settleTime = 10 * time.Millisecond

// drained says whether Drain was called and nothing more will come. Blocks are
// filled in order, so an untouched block at the cursor means that the ring is empty.
// A block that the kernel does not hand over in time is left.
func (s *ringSource) drained() bool {
	deadline := s.draining.Load()
	if deadline == nil || s.leased {
		return false
	}
	h := headerOf(s.ring.block(s.cursor))
	return h.untouched() && !h.ready() || !time.Now().Before(*deadline)
}
