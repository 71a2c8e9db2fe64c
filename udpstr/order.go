package udpstr

import "time"

// old counts a datagram from before the next: what it carried was delivered or given up.
func (r *Reassembler) old(b []byte, seq uint32) {
	if r.next-seq <= historyLen && r.seen.has(seq) {
		r.arrived(b, &r.c.Duplicate)
		return
	}
	r.arrived(b, &r.c.Late)
	if r.next-seq <= historyLen {
		r.seen.set(seq)
	}
}

// near takes a datagram that is the next, within the window, or just behind its end.
func (r *Reassembler) near(b []byte, first int, seq uint32, now time.Time) {
	switch {
	case seq-r.next >= r.high-r.next:
		r.arrived(b, &r.c.InOrder)
		// The window moves on so that seq is its last.
		for seq-r.next >= uint32(r.held.size) {
			r.skip()
		}
		r.high = seq + 1
	case r.held.holds(seq):
		r.arrived(b, &r.c.Duplicate)
		return
	default:
		r.arrived(b, &r.c.Reordered)
	}
	for {
		if seq == r.next {
			r.use(b, first)
			r.drain()
			return
		}
		if r.held.put(b, seq, now) {
			r.started = true
			return
		}
		// No memory for it: give up what is waited for.
		if ahead := seq - r.next; ahead < r.firstHeld() {
			r.giveUp(ahead)
		} else {
			r.skip()
		}
	}
}

// firstHeld returns how far ahead of the next datagram the first one held is; with none held it is the end of the window.
func (r *Reassembler) firstHeld() uint32 {
	n := uint32(0)
	for n < uint32(r.held.size) && !r.held.holds(r.next+n) {
		n++
	}
	return n
}

// skip gives up the datagrams that are waited for before the first one held, and uses that one and those that follow it.
func (r *Reassembler) skip() {
	r.giveUp(r.firstHeld())
	r.drain()
}

// giveUp declares the next n datagrams lost.
func (r *Reassembler) giveUp(n uint32) {
	if n == 0 {
		return
	}
	r.c.Lost += uint64(n)
	r.seen.forget(r.next, n)
	r.next += n
	r.records.lose()
}

// drain uses the datagrams held that come next.
func (r *Reassembler) drain() {
	for {
		b, ok := r.held.take(r.next)
		if !ok {
			break
		}
		first, _, _ := parseHeader(b)
		r.use(b, first)
	}
	r.held.refresh()
}
