package receive

import (
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"
)

// datagram does what the table says about a datagram. It returns what unknown does.
func (p *dataPort) datagram(s *stream, ev pathEvent, c *candidate, src netip.AddrPort, h *header, b []byte, now time.Time) (*stream, bool) {
	switch effect := pathTable[s.path.state][ev].effect; {
	case (effect == effectHold || effect == effectAsk) && c != nil:
		p.candidates.hold(c, s, b)
		p.happens(s, ev, c, now)
		return nil, true
	case effect < effectBegin:
		p.happens(s, ev, c, now)
		return nil, false
	case c == nil: // no candidate can have sent this
		c = &candidate{src: src, start: *h, begun: now, known: now}
	case len(c.held) > 0: // this one may come before them
		p.candidates.hold(c, s, b)
		p.happens(s, ev, c, now)
		return nil, true
	}
	p.happens(s, ev, c, now)
	return s, false
}

// happens does what the table says about an event; c is the candidate that it is about, if it is about one.
func (p *dataPort) happens(s *stream, ev pathEvent, c *candidate, now time.Time) {
	from := s.path.state
	step := pathTable[from][ev]
	s.path.state = step.next
	switch step.effect {
	case effectAsk:
		s.path.wantStats()
	case effectReview:
		p.review(s, now)
	case effectBegin:
		p.bind(s, c.src, c.position(s))
		p.give(c, s, now)
	case effectRebind:
		p.rebind(s, c.src)
		p.give(c, s, now)
	case effectDisplace:
		p.displace(s, c, from == pathDoubted || ev > eventRefuted, now)
	}
	if s.path.state.settled() && s.path.state != from {
		p.candidates.dropWaiting(s)
	}
	if s.path.state == pathValidated && !s.path.direct {
		delete(p.expected, s.path.named) // the NAT has given the stream another port
	}
}

// review judges the candidates that wait for a stream when its state has changed.
func (p *dataPort) review(s *stream, now time.Time) {
	list := p.candidates.waiting(s)
	for _, c := range list {
		if c.src == s.path.named {
			p.happens(s, s.path.namedEvent(), c, now)
		}
	}
	for _, c := range list {
		switch {
		case s.path.state.begun():
			p.candidates.drop(c)
		case c.event() != eventSingle:
			p.happens(s, c.event(), c, now)
		}
	}
}

// position is where a stream begins with a candidate: with what is held of it, or with what comes next.
func (c *candidate) position(s *stream) *header {
	if c.count > 1 && (c.stream != s || len(c.held) == 0) {
		return &header{format: c.start.format, seq: c.next, credible: true}
	}
	return &c.start
}

// bind settles the source and the format of a stream with its first datagram.
func (p *dataPort) bind(s *stream, src netip.AddrPort, h *header) {
	if p.pending[s.agent] == s {
		delete(p.pending, s.agent)
	}
	delete(p.ended, src)
	delete(p.expected, src)
	s.path.sources = append(s.path.sources, src)
	s.path.start, s.path.readable = *h, h.opens || h.credible
	s.nextSeq = h.seq
	s.begin(h.format)
	p.bySrc[src] = s
}

// rebind adds a source port to a stream.
func (p *dataPort) rebind(s *stream, src netip.AddrPort) {
	if len(s.path.sources) == maxSources {
		delete(p.bySrc, s.path.sources[0])
		s.path.sources = append(s.path.sources[:0], s.path.sources[1:]...)
	}
	s.path.sources = append(s.path.sources, src)
	s.path.rebound++
	p.bySrc[src] = s
	p.log.Info("stream continues from another source port", zap.String("peer", s.source.Shown()),
		zap.Uint16("port", p.port), zap.Stringer("source", src))
}

// displace gives a stream to the path that it truly comes from. What was taken for it was somebody else's; proven tells that
// the agent has said so, and not only what has come.
func (p *dataPort) displace(s *stream, c *candidate, proven bool, now time.Time) {
	wrong := s.path.sources
	was := s.arrived()
	p.foreign += s.path.taken
	for _, old := range wrong {
		delete(p.bySrc, old)
	}
	s.refusePath()
	if proven {
		s.path.refute(wrong)
		s.path.refuted = slices.DeleteFunc(s.path.refuted, func(src netip.AddrPort) bool { return src == c.src })
	}
	s.path.forger = wrong[len(wrong)-1]
	p.bind(s, c.src, c.position(s))
	p.repeats.Once(p.log, s.source.Shown()+" displaced", zap.WarnLevel,
		"another sender at the agent's address was taken for the agent; its frames have gone to the outputs",
		zap.String("peer", s.source.Shown()), zap.Uint16("port", p.port), zap.Stringer("sender", s.path.forger),
		zap.Stringer("agent", c.src), zap.Uint64("frames", was.Frames))
	p.give(c, s, now)
}

// give hands the stream what was held of a candidate, which has become one of its paths.
func (p *dataPort) give(c *candidate, s *stream, now time.Time) {
	if c.stream != s {
		p.candidates.release(c)
	}
	for _, b := range p.candidates.take(c) {
		if !s.path.state.settled() {
			p.second(s, b)
		}
		s.datagram(b, now)
	}
	p.time(s)
}

// second looks for the datagram of the active path that agrees with its first.
func (p *dataPort) second(s *stream, b []byte) {
	if !s.path.state.begun() || s.finished {
		return
	}
	h, first := readHeader(b, s.maxCaplen()), &s.path.start
	if !h.credible || h.format != s.format || h.seq == first.seq || h.seq-first.seq >= 2*continuationWindow {
		return
	}
	if first.numbered && h.numbered && int32(h.number-first.number) <= 0 {
		return
	}
	if !s.path.readable {
		s.path.readable = true
		h.number = h.last
		s.path.start = h
		return
	}
	p.happens(s, eventSecond, nil, time.Time{})
}
