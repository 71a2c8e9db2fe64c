package capture

import (
	"io"
	"net"
	"os"
	"time"

	"rpcapd/udpstr"
)

const (
	// refusedInRow is how many frames that the filter refuses are read before the deadline is looked at.
	refusedInRow = 4096
	// drainStep is how often a device that drains is read.
	drainStep = 5 * time.Millisecond
)

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
		_ = s.free() // Close has returned, so nobody is left to tell
	}
}

func (s *deviceSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	for s.end == nil {
		now := time.Now()
		l := s.look(now)
		if l.event.Kind != 0 && s.options.OnEvent != nil {
			s.options.OnEvent(l.event)
		}
		switch {
		case s.gate.closed():
			return nil, net.ErrClosed
		case l.err != nil:
			s.end = l.err
			continue
		case l.frames > 0:
			s.count(s.frames[:l.frames])
			return s.frames[:l.frames], nil
		case !deadline.IsZero() && !now.Before(deadline):
			return nil, os.ErrDeadlineExceeded
		case l.more:
			continue
		case s.woken.Swap(false):
			return nil, os.ErrDeadlineExceeded
		}
		limit := l.again.Sub(now)
		if !deadline.IsZero() {
			limit = min(limit, deadline.Sub(now))
		}
		if err := s.sys.wait(l.on, max(0, limit)); err != nil {
			s.end = opError("read", s.options.Interface, err)
		}
	}
	return nil, s.end
}

// look is what one look at the device has brought.
type look struct {
	frames int       // in the lease
	more   bool      // there may be more
	on     device    // to wait for, nil for none
	again  time.Time // when to look again
	event  Event     // of the interface; Kind 0: none
	err    error     // the source ends
}

// look reads until a frame passes the filter.
func (s *deviceSource) look(now time.Time) (l look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leased = false
	s.closeRetired()
	s.applyPending()
	drains := !s.draining.IsZero()
	switch {
	case len(s.backlog) > 0:
		l.frames = copy(s.frames, s.backlog)
		s.backlog = s.backlog[l.frames:]
	case drains && (!now.Before(s.drainEnd) || s.handle == nil):
		l.err = io.EOF
	case s.closed:
		l.err = net.ErrClosed
	case s.handle == nil:
		s.revive(now, &l)
	default:
		s.read(now, drains, &l)
	}
	return l
}

// read: see look. There is a device. mu is held.
func (s *deviceSource) read(now time.Time, drains bool, l *look) {
	for read := 0; read < refusedInRow; {
		n, err := s.handle.read(s.frames, drains)
		if err != nil {
			s.fail(now, err, l)
			return
		}
		last := int64(0)
		if n > 0 {
			last = micros(&s.frames[n-1])
		}
		if l.frames = s.sift(s.frames[:n]); l.frames > 0 {
			s.leased = true
			return
		}
		switch {
		case s.drained(now, n, last):
			l.err = io.EOF
			return
		case n == 0 && drains:
			l.again = now.Add(drainStep)
			return
		case n == 0:
			s.checkInterface(now, l)
			l.on = s.handle
			return
		}
		read += n
	}
	l.more = true
}

// sift leaves of the frames those that are kept, and says how many. mu is held.
func (s *deviceSource) sift(frames []udpstr.Frame) int {
	kept, refused := 0, uint64(0)
	for i := range frames {
		f := &frames[i]
		if s.after != 0 && micros(f) <= s.after || s.until != 0 && micros(f) > s.until {
			continue
		}
		if !present(f, s.judges, s.options.Snaplen) {
			refused++
			continue
		}
		frames[kept] = *f
		kept++
	}
	if refused > 0 {
		s.refused.Add(refused)
	}
	return kept
}

// micros is the time stamp of a frame in microseconds since 1970.
func micros(f *udpstr.Frame) int64 { return int64(f.Sec)*1e6 + int64(f.Usec) }
