package receive

import "time"

// far takes a message that jumps ahead.
func (s *plainStream) far(b []byte, number uint64, now time.Time) {
	j := &s.jump
	if j.waiting {
		switch {
		case number == j.number:
			s.counters.Duplicate++
			return
		case number > j.number && (!j.belied || number-j.number < plainWindow), number < j.number && j.number-number < plainWindow:
			s.believe()
			s.take(b, number)
			return
		}
		s.disbelieve()
	}
	j.waiting, j.belied, j.number, j.at = true, false, number, now
	j.buf = append(j.buf[:0], b...)
}

// believe takes the jump as it would have been taken without waiting.
func (s *plainStream) believe() {
	s.jump.waiting = false
	s.take(s.jump.buf, s.jump.number)
}

// disbelieve drops the jump.
func (s *plainStream) disbelieve() {
	s.jump.waiting = false
	s.counters.Malformed++
}

// settle ends the wait of the jump.
func (s *plainStream) settle() {
	switch {
	case !s.jump.waiting:
	case s.jump.belied:
		s.disbelieve()
	default:
		s.believe()
	}
}

// deadline returns when settle is due; ok is false if nothing waits.
func (s *plainStream) deadline() (at time.Time, ok bool) {
	return s.jump.at.Add(s.hold), s.jump.waiting
}

// expire settles what has waited for long enough. Silence proves little: the stream may yet go on where it was.
func (s *plainStream) expire(now time.Time) {
	if !s.jump.waiting || now.Sub(s.jump.at) < s.hold {
		return
	}
	before := plainPlace{s.newest, s.seen, s.counters.Missing, s.counters.FrameBytes}
	doubtful := !s.jump.belied
	s.settle()
	if doubtful && s.before.newest == 0 {
		before.bytes = s.counters.FrameBytes - before.bytes
		s.before = before
	}
}

// doubt goes back to that place when a message shows that the jump was a stray, and ends the doubt when another one stands by
// it; the same one again does not.
func (s *plainStream) doubt(number uint64) {
	switch b := s.before; {
	case number > b.newest && number-b.newest <= plainWindow:
		s.newest, s.seen, s.counters.Missing = b.newest, b.seen, b.missing
		s.counters.Frames--
		s.counters.FrameBytes -= b.bytes
		s.counters.InOrder--
		s.counters.Malformed++
		if s.disown != nil {
			s.disown() // it has gone out
		}
		s.before = plainPlace{}
	case number != s.newest && number+plainWindow > s.newest && number <= s.newest+plainWindow:
		s.before = plainPlace{}
	}
}
