package udpstr

import (
	"encoding/binary"
	"time"
)

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

// belie notes that the stream goes on where it was. What stands by the jump may be on its way yet.
func (r *Reassembler) belie(now time.Time) {
	if j := &r.jump; j.waiting && !j.belied {
		j.belied, j.since = true, now
	}
}

// Known takes how many frames the sender says it has captured, modulo 2³². It confirms a jump that has been held for long
// enough and skips some of them: after a great loss a slow stream may bring nothing else for long.
func (r *Reassembler) Known(captured uint32, now time.Time) {
	if j := &r.jump; !j.waiting || j.belied || now.Sub(j.at) < r.hold {
		return
	}
	first, _, _ := parseHeader(r.jump.buf)
	if first == noHeader {
		return // no frame begins in it
	}
	number := binary.BigEndian.Uint32(r.jump.buf[first+16:])
	if last := uint32(r.records.last); int32(number-last) > 1 && int32(captured-number) >= 0 {
		r.believe(r.jump.seq)
		r.quiet = r.held.n == 0 && !r.jump.waiting
	}
}

// jumpSince is when the time began after which the jump is settled; ok is false while nothing settles it but what comes.
func (r *Reassembler) jumpSince() (at time.Time, ok bool) {
	switch j := &r.jump; {
	case !j.waiting:
		return time.Time{}, false
	case j.belied:
		return j.since, true
	}
	return r.jump.at, !r.started // of a stream that is joined there is no other place
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
