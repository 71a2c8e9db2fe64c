package receive

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// maxCandidates bounds the candidates of a data port. Against one who sends from thousands of ports to use up memory and
	// the time that it takes to look through them.
	maxCandidates = 32
	// maxHeldDatagrams bounds what is held of one candidate; our agents may send as many before the sensor has read their
	// answer to STARTCAP. Against small datagrams, whose administration costs more than their bytes show.
	maxHeldDatagrams = 4096
	// maxHeldBytes bounds what all data ports hold. Half of it is divided among the ports: so one who sends to the ports of one
	// agent takes no room from the others. Who holds most gives way on a port: so many candidates take none from the agent's.
	maxHeldBytes = 16 << 20
)

// candidates are those of a data port; its mu guards them.
type candidates struct {
	of      map[netip.AddrPort]*candidate
	budget  *heldBudget
	bytes   int     // held
	foreign *uint64 // of the port; counts datagrams that were not kept, or were for nothing
}

// note takes a datagram of a candidate, which begins anew when it does not follow the one before.
func (l *candidates) note(src netip.AddrPort, h *header, now time.Time) *candidate {
	c := l.of[src]
	known := now
	if c != nil && c.overtook(h) {
		c.heard = now
		if int32(h.seq-c.start.seq) < 0 {
			c.start = *h
		}
		return c
	}
	if c != nil && !c.followedBy(h) {
		known = c.known
		l.drop(c)
		c = nil
	}
	if c == nil {
		if len(l.of) >= maxCandidates {
			l.dropWeakest()
		}
		c = &candidate{src: src, start: *h, begun: now, known: known}
		l.of[src] = c
	}
	c.count++
	c.next, c.heard = h.seq+1, now
	if h.numbered {
		c.numbered, c.number = true, h.last
	}
	return c
}

// assign makes a candidate one of a stream; what was held of it for another was for nothing.
func (l *candidates) assign(c *candidate, s *stream) {
	if c.stream != s {
		l.release(c)
		c.stream, c.from = s, s.nextSeq
	}
}

// hold keeps a datagram until more is known.
func (l *candidates) hold(c *candidate, s *stream, b []byte) {
	l.assign(c, s)
	if len(c.held) >= maxHeldDatagrams {
		*l.foreign++
		return
	}
	for !l.budget.take(l.bytes, len(b)) {
		most := c
		for _, o := range l.of {
			if o.bytes > most.bytes {
				most = o
			}
		}
		if most.bytes < c.bytes+len(b) || most == c {
			*l.foreign++
			return
		}
		l.shorten(most)
	}
	seq, at := seqOf(b), len(c.held) // a stream begins with the lowest number
	for ; at > 0 && int32(seq-seqOf(c.held[at-1])) < 0; at-- {
	}
	c.held = slices.Insert(c.held, at, bytes.Clone(b))
	c.bytes += len(b)
	l.bytes += len(b)
}

func seqOf(b []byte) uint32 {
	_, seq := classify(b)
	return seq
}

// shorten gives up the last datagram that is held of a candidate.
func (l *candidates) shorten(c *candidate) {
	last := len(c.held) - 1
	n := len(c.held[last])
	c.held[last], c.held = nil, c.held[:last]
	c.bytes -= n
	l.free(n)
	*l.foreign++
}

// free gives bytes back.
func (l *candidates) free(n int) {
	l.bytes -= n
	l.budget.give(l.bytes, n)
}

// release gives up what is held of a candidate. It counts as foreign.
func (l *candidates) release(c *candidate) {
	*l.foreign += uint64(len(c.held))
	l.free(c.bytes)
	c.held, c.bytes, c.stream, c.continues = nil, 0, nil, false
}

// take returns what is held of a candidate that has become a stream's path, and forgets it.
func (l *candidates) take(c *candidate) (held [][]byte) {
	held = c.held
	l.free(c.bytes)
	c.held, c.bytes, c.stream = nil, 0, nil
	delete(l.of, c.src)
	return held
}

// drop forgets a candidate.
func (l *candidates) drop(c *candidate) {
	l.release(c)
	delete(l.of, c.src)
}

// dropWeakest makes room: the candidate with the fewest datagrams goes, of several the one that was silent for longest.
// So many ports take no place from one that sends a stream.
func (l *candidates) dropWeakest() {
	var weakest *candidate
	for _, c := range l.of {
		if weakest == nil || c.count < weakest.count || c.count == weakest.count && c.heard.Before(weakest.heard) {
			weakest = c
		}
	}
	if weakest != nil {
		l.drop(weakest)
	}
}

// waiting returns the candidates whose datagrams are held for a stream, the oldest first.
func (l *candidates) waiting(s *stream) (list []*candidate) {
	for _, c := range l.of {
		if c.stream == s {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *candidate) int {
		return cmp.Or(a.begun.Compare(b.begun), cmp.Compare(a.start.seq, b.start.seq))
	})
	return list
}

// dropWaiting forgets those.
func (l *candidates) dropWaiting(s *stream) {
	for _, c := range l.waiting(s) {
		l.drop(c)
	}
}

// heldBudget is what the data ports of a sensor may hold of candidates: each has a share of its own, and all have another.
type heldBudget struct {
	share  int          // bytes of each port
	common atomic.Int64 // bytes that ports hold beyond that
}

func newHeldBudget(ports int) *heldBudget {
	return &heldBudget{share: maxHeldBytes / 2 / max(ports, 1)}
}

// take asks for n bytes for a port that holds some.
func (b *heldBudget) take(holds, n int) bool {
	beyond := int64(max(0, holds+n-b.share) - max(0, holds-b.share))
	if b.common.Add(beyond) > maxHeldBytes/2 {
		b.common.Add(-beyond)
		return false
	}
	return true
}

// give takes n bytes back from a port that holds the others still.
func (b *heldBudget) give(holds, n int) {
	b.common.Add(-int64(max(0, holds+n-b.share) - max(0, holds-b.share)))
}
