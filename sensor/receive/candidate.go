package receive

import (
	"net/netip"
	"time"
)

const (
	// maxWait is how long a candidate's only datagram is held for a stream that may begin with it: the first ones of a stream
	// can be lost, and an idle agent sends no second one.
	maxWait = time.Second
	// candidateLife is how long a candidate is remembered after its last datagram: a regular STATS and its answer.
	candidateLife = 15 * time.Second
	// candidateTick bounds the sleep of a port with candidates: what STATS settle happens beside its goroutine.
	candidateTick = time.Second
	// maxOvertaking is how far datagrams of a candidate may overtake each other.
	maxOvertaking = 64
	// nearGap is how many datagrams may be lost when a source port changes for the new one to be validated at once. Against one
	// who guesses numbers: he can do no more harm than that many lost datagrams would.
	nearGap = 4
	// farSilence is how long the active path must be silent if more than the reorder window is missing.
	farSilence = time.Second
)

// candidate is a source port at an agent's address that sends what may be a stream of that agent.
type candidate struct {
	src   netip.AddrPort
	start header    // of its first datagram
	next  uint32    // seq after its last one
	count int       // datagrams that follow each other
	begun time.Time // arrival of the first of them
	known time.Time // the port was first heard; not later than begun
	heard time.Time // arrival of the last

	numbered bool
	number   uint32 // of the last frame that has begun

	stream    *stream  // its datagrams are held for this one; nil: none are
	continues bool     // it goes on where that stream was
	from      uint32   // where that stream was when the candidate began
	held      [][]byte // in the order of their numbers
	bytes     int      // in held
}

// followedBy reports whether a datagram goes on where the candidate's last one ended.
func (c *candidate) followedBy(h *header) bool {
	if !c.numbered {
		return h.format == c.start.format && h.credible && h.seq-c.next < continuationWindow
	}
	return h.follows(c.start.format, c.next, c.number, 0)
}

// overtook reports whether a datagram is the candidate's last one again, or one that others of it have overtaken.
func (c *candidate) overtook(h *header) bool {
	return h.format == c.start.format && h.credible && c.next-1-h.seq < maxOvertaking
}

// followsSurely reports whether the stream has moved to the candidate, by what both have sent: a pair, while the active path
// has sent nothing since, or has been silent for longer than what is missing could be on its way.
func (c *candidate) followsSurely(s *stream, now time.Time) bool {
	gap, silent := c.start.seq-s.nextSeq, now.Sub(s.now)
	switch {
	case int32(gap) < 0 || c.count < 2 || s.now.Sub(c.begun) > s.limits.Hold:
		return false
	case gap <= nearGap && s.nextSeq == c.from:
		return true
	case gap <= uint32(max(s.limits.Window, 0)) && silent >= s.limits.Hold:
		return true
	}
	return silent >= farSilence
}

// event is what a candidate has sent, apart from where the stream is.
func (c *candidate) event() pathEvent {
	switch {
	case c.count >= 2 && c.start.opens:
		return eventOpeningPair
	case c.count >= 2:
		return eventPair
	case c.start.opens:
		return eventOpening
	}
	return eventSingle
}
