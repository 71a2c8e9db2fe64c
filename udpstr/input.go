package udpstr

import "time"

// Datagram takes one UDP payload that arrived at time now. b is not kept.
func (r *Reassembler) Datagram(b []byte, now time.Time) {
	first, seq, ok := parseHeader(b)
	if !ok {
		r.arrived(b, &r.c.Malformed)
		return
	}
	if seq == r.next && r.quiet {
		r.arrived(b, &r.c.InOrder)
		r.use(b, first)
		r.high = r.next
		return
	}
	r.unexpected(b, first, seq, now)
	r.quiet = r.held.n == 0 && !r.jump.waiting
}

// Datagrams takes UDP payloads that lie behind one another in run, as receive offload gives them: each has size bytes, the last
// may have fewer. Frames that go over the end of a datagram are put together there, so run is changed; it is not kept. Frames of
// all of them are delivered together.
func (r *Reassembler) Datagrams(run []byte, size int, now time.Time) {
	for at := 0; at < len(run); {
		end := min(at+max(size, 1), len(run))
		b := run[at:end:end]
		if first, seq, ok := parseHeader(b); ok && seq == r.next && r.quiet {
			r.arrived(b, &r.c.InOrder)
			r.begin()
			r.read(run, at, end, first)
			r.high = r.next
		} else {
			r.leave(run)
			r.Datagram(b, now)
		}
		at = end
	}
	r.leave(run)
}

// unexpected takes a datagram that is not simply the next.
func (r *Reassembler) unexpected(b []byte, first int, seq uint32, now time.Time) {
	if seq != r.next { // what all wait for ends the wait, however late it is looked at
		r.Expire(now)
	}
	ahead := seq - r.next
	if r.started && ahead >= 1<<31 {
		r.old(b, seq)
		return
	}
	if r.held.size == 0 {
		r.arrived(b, &r.c.InOrder)
		r.giveUp(ahead)
		r.use(b, first)
		r.high = r.next
		return
	}
	// Of a stream that is joined at its wrap the jump shows where it is, not that seqno 0 comes next.
	joined := !r.started && r.besideJump(seq)
	if joined || ahead >= r.high-r.next && seq-r.high >= uint32(r.held.size) {
		r.far(b, seq, now)
		return
	}
	r.near(b, first, seq, now)
	if r.jump.waiting {
		r.belie(now)
		r.reach()
	}
}

// Deadline returns when Expire is due next. ok is false if nothing is waited for.
func (r *Reassembler) Deadline() (at time.Time, ok bool) {
	if r.held.n > 0 {
		at, ok = r.held.oldest, true
	}
	if since, waits := r.jumpSince(); waits && (!ok || since.Before(at)) {
		at, ok = since, true
	}
	return at.Add(r.hold), ok
}

// Expire gives up what has been waited for too long by time now.
func (r *Reassembler) Expire(now time.Time) {
	for r.held.n > 0 && now.Sub(r.held.oldest) >= r.hold {
		r.skip()
	}
	if since, ok := r.jumpSince(); ok && now.Sub(since) >= r.hold {
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
