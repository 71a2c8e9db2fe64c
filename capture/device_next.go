package capture

import (
	"io"
	"net"
	"os"
	"time"

	"rpcapd/udpstr"
)

// refusedInRow is how many frames that the filter refuses are read before the deadline is looked at.
const refusedInRow = 1024

// Next: see Source.
func (s *deviceSource) Next(deadline time.Time) ([]udpstr.Frame, error) {
	s.Release()
	if !s.gate.enter() {
		return nil, net.ErrClosed
	}
	frames, err := s.next(deadline)
	if err != nil {
		s.Release()
	}
	return frames, err
}

// Release: see Source.
func (s *deviceSource) Release() {
	if s.gate.leave() {
		s.free()
	}
}

func (s *deviceSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	for {
		if s.end != nil {
			return nil, s.end
		}
		looked := s.look()
		if looked.event.Kind != 0 && s.options.OnEvent != nil {
			s.options.OnEvent(looked.event)
		}
		switch {
		case s.gate.closed():
			return nil, net.ErrClosed
		case looked.err != nil:
			s.end = looked.err
			continue
		case looked.frame:
			s.count(s.lease[:])
			return s.lease[:], nil
		}
		now := time.Now()
		if !deadline.IsZero() && !now.Before(deadline) {
			return nil, os.ErrDeadlineExceeded
		}
		if looked.more {
			continue
		}
		if s.woken.Swap(false) {
			return nil, os.ErrDeadlineExceeded
		}
		rest := s.traits.pace
		if !deadline.IsZero() {
			rest = min(rest, deadline.Sub(now))
		}
		if err := s.pause.wait(looked.on, rest); err != nil {
			s.end = opError("read", s.options.Interface, err)
		}
	}
}

// look is what one look at the device has brought.
type look struct {
	frame bool    // one is in the lease
	more  bool    // there may be more
	on    uintptr // event to wait for
	event Event   // of the interface; Kind 0: none
	err   error   // the source ends
}

// look reads until a frame passes the filter.
func (s *deviceSource) look() (l look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applyPending()
	if len(s.backlog) > 0 {
		s.lease[0], s.backlog = s.backlog[0], s.backlog[1:]
		l.frame = true
		return l
	}
	now := time.Time{}
	if !s.draining.IsZero() {
		if now = time.Now(); !now.Before(s.drainEnd) {
			l.err = io.EOF
			return l
		}
	}
	if s.handle == nil {
		s.revive(&l)
	}
	if s.handle == nil || l.err != nil {
		if !s.draining.IsZero() {
			l.err = io.EOF
		}
		return l
	}
	vm := s.vm.Load()
	for range refusedInRow {
		f, ok, err := s.handle.read()
		switch {
		case err != nil:
			l.event = s.lose(err)
			return l
		case !ok:
			l.on = s.handle.event()
			if !s.draining.IsZero() && now.Sub(s.draining) >= s.traits.settle {
				l.err = io.EOF
			}
			return l
		case s.keep(vm, &f):
			s.lease[0], l.frame = f, true
			return l
		}
		s.refused.Add(1)
	}
	l.more = true
	return l
}
