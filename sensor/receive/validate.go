package receive

import (
	"net/netip"
	"time"

	"rpcapd/udpstr"
)

// unknown finds the stream of a datagram from a port that is no stream's. held is set, with nil, if it is kept until more is
// known; else nil means that the datagram is foreign.
func (p *dataPort) unknown(src netip.AddrPort, b []byte, now time.Time) (s *stream, held bool) {
	if s := p.fromNamed(src, b, now); s != nil {
		return s, false
	}
	if udpstr.IsProbe(b) && p.echo(src, b, now) {
		return nil, true
	}
	h := readHeader(b, p.maxCaplen(src.Addr()))
	waiting := p.pending[src.Addr()]
	// Only the very first datagram of a capture shows that the agent's system gave an ended stream's port to a new one.
	// That datagram may be lost, so what comes while a capture waits does not keep the port that of the ended one.
	switch heard, ok := p.ended[src]; {
	case !ok:
	case now.Sub(heard) > endedFor:
		delete(p.ended, src)
	case waiting == nil:
		p.ended[src] = now
		return nil, false
	case !h.begun():
		return nil, false
	}
	if h.format == formatUnknown {
		return nil, false
	}
	s, continues := p.streamOf(src, &h, waiting)
	if s == nil {
		return nil, false
	}
	ev, c := p.event(s, continues, src, &h, now)
	return p.datagram(s, ev, c, src, &h, b, now)
}

// streamOf finds the stream that a datagram may belong to: the one that it continues, the one that awaits its first datagram,
// or the one of that address that is least validated.
func (p *dataPort) streamOf(src netip.AddrPort, h *header, waiting *stream) (s *stream, continues bool) {
	if waiting != nil && waiting.path.state < pathOpen {
		return waiting, false
	}
	opens := false
	if c := p.candidates.of[src]; c != nil && c.stream != nil && c.followedBy(h) {
		if c.continues && !c.stream.finished {
			return c.stream, true
		}
		opens = c.start.opens // it has not begun where another stream goes on
	}
	if waiting == nil && !opens || waiting != nil && h.seq >= continuationWindow {
		if s := p.continued(src.Addr(), h); s != nil {
			return s, true
		}
	}
	if waiting != nil {
		return waiting, false
	}
	for k := range p.streams {
		if k.agent == src.Addr() && k.path.state.begun() && !k.finished &&
			(s == nil || s.path.state.settled() && !k.path.state.settled()) {
			s = k
		}
	}
	return s, false
}

// continued returns the stream of addr that a datagram from an unknown port is nearest ahead of.
func (p *dataPort) continued(addr netip.Addr, h *header) (best *stream) {
	nearest := uint32(continuationWindow)
	for s := range p.streams {
		if s.agent != addr {
			continue
		}
		if ahead, ok := s.continues(h); ok && ahead < nearest {
			best, nearest = s, ahead
		}
	}
	return best
}

// maxCaplen is the longest frame that a stream of the address may bring here.
func (p *dataPort) maxCaplen(addr netip.Addr) (n uint32) {
	for s := range p.streams {
		if s.agent == addr {
			n = max(n, s.maxCaplen())
		}
	}
	return n
}

// event says what a datagram is to a stream, and notes it with its candidate; nil if it is none.
func (p *dataPort) event(s *stream, continues bool, src netip.AddrPort, h *header, now time.Time) (pathEvent, *candidate) {
	if !h.credible {
		if len(p.candidates.waiting(s)) > 0 {
			return eventNoise, nil
		}
		return eventUnreadable, nil
	}
	c := p.candidates.note(src, h, now)
	switch {
	case s.path.isRefuted(src):
		return eventRefuted, c
	case continues && (c.continues || int32(c.start.seq-s.nextSeq) >= 0): // else it has sent what the stream has had
		// When the active path goes on, the stream has not moved. What it had sent before is soon there.
		if c.stream == s && (int32(s.nextSeq-c.start.seq) > 0 || s.now.Sub(c.begun) > s.limits.Hold) {
			p.candidates.drop(c)
			c = p.candidates.note(src, h, now)
		}
		p.candidates.assign(c, s)
		c.continues = true
		if c.followsSurely(s, now) {
			return eventFollows, c
		}
		return eventContinues, c
	}
	return c.event(), c
}
