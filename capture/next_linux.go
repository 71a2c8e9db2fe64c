package capture

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/udpstr"
)

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
