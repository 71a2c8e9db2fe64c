package udpstr

import "time"

// jump is a datagram whose seqno lies farther ahead than the window reaches. One such datagram may be a stray, and to believe
// it would make all that follows old. So it waits until another one stands by it, the stream comes to it, or it has been
// held long enough with nothing that contradicts it.
type jump struct {
	waiting bool
	belied  bool // the stream has gone on where it was since the jump came
	seq     uint32
	at      time.Time // of arrival
	buf     []byte
}

// far takes a datagram that jumps ahead.
func (r *Reassembler) far(b []byte, seq uint32, now time.Time) {
	j := &r.jump
	if j.waiting {
		switch d := int32(seq - j.seq); {
		case d == 0:
			r.arrived(b, &r.c.Duplicate)
			return
		case r.besideJump(seq):
			if d > 0 {
				r.believe(j.seq)
			} else {
				r.believe(seq)
			}
			first, _, _ := parseHeader(b)
			r.near(b, first, seq, now)
			return
		case d > 0 && !j.belied: // the stream goes on with great losses
			r.believe(j.seq)
		default:
			r.arrived(j.buf, &r.c.Malformed)
		}
	}
	j.waiting, j.belied, j.seq, j.at = true, false, seq, now
	j.buf = append(j.buf[:0], b...)
}

// besideJump says whether seq and the jump stand by each other.
func (r *Reassembler) besideJump(seq uint32) bool {
	d := int32(seq - r.jump.seq)
	return r.jump.waiting && d > -int32(r.held.size) && d <= int32(r.held.size)
}

// believe gives up all that comes before seq and takes the jump.
func (r *Reassembler) believe(seq uint32) {
	for r.held.n > 0 {
		r.skip()
	}
	r.giveUp(seq - r.next)
	r.high = r.next
	r.started = true
	r.land()
}

// land takes the jump as a datagram within the window.
func (r *Reassembler) land() {
	j := &r.jump
	j.waiting = false
	first, _, _ := parseHeader(j.buf)
	r.near(j.buf, first, j.seq, j.at)
}

// reach takes the jump if the stream has come to it.
func (r *Reassembler) reach() {
	j := &r.jump
	switch {
	case int32(j.seq-r.next) < 0:
		j.waiting = false
		r.old(j.buf, j.seq)
	case int32(j.seq-r.high) <= 0:
		r.land()
	}
}

// settle ends the wait of the jump.
func (r *Reassembler) settle() {
	switch {
	case !r.jump.waiting:
	case r.jump.belied:
		r.jump.waiting = false
		r.arrived(r.jump.buf, &r.c.Malformed)
	default:
		r.believe(r.jump.seq)
	}
}

// Deadline returns when Expire is due next. ok is false if nothing is waited for.
func (r *Reassembler) Deadline() (at time.Time, ok bool) {
	if r.held.n > 0 {
		at, ok = r.held.oldest, true
	}
	if r.jump.waiting && (!ok || r.jump.at.Before(at)) {
		at, ok = r.jump.at, true
	}
	return at.Add(r.hold), ok
}

// Expire gives up what has been waited for too long by time now.
func (r *Reassembler) Expire(now time.Time) {
	for r.held.n > 0 && now.Sub(r.held.oldest) >= r.hold {
		r.skip()
	}
	if r.jump.waiting && now.Sub(r.jump.at) >= r.hold {
		r.settle()
	}
	r.quiet = r.held.n == 0 && !r.jump.waiting
}

// Flush ends the wait for whatever is missing: at the end of the stream.
func (r *Reassembler) Flush() {
	for r.held.n > 0 {
		r.skip()
	}
	r.settle()
	for r.held.n > 0 {
		r.skip()
	}
	r.quiet = true
}
