package receive

import (
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"
)

// pathValidation is what a stream knows of its paths. The dataPort's mu guards it.
type pathValidation struct {
	state    pathState
	named    netip.AddrPort // the port that the agent has named; the zero value without one
	direct   bool           // and no NAT lies between, as far as is known
	sources  []netip.AddrPort
	start    header           // of the datagram that the active path has begun with
	readable bool             // there was one that could be read
	taken    uint64           // datagrams of the active path, and of those it was before a rebinding
	forged   uint64           // frames delivered that turned out not to be the agent's
	forger   netip.AddrPort   // who sent the last of them
	refuted  []netip.AddrPort // by STATS; at most maxRefuted
	rebound  uint64
	stats    statsMarks
	ask      chan struct{} // capacity 1: the agent's STATS are wanted soon
}

// isRefuted reports whether STATS have shown that a port is not the agent's.
func (v *pathValidation) isRefuted(src netip.AddrPort) bool { return slices.Contains(v.refuted, src) }

// refute notes that these ports are not the agent's.
func (v *pathValidation) refute(ports []netip.AddrPort) {
	for _, src := range ports {
		if v.isRefuted(src) {
			continue
		}
		if len(v.refuted) >= maxRefuted {
			v.refuted = slices.Delete(v.refuted, 0, 1)
		}
		v.refuted = append(v.refuted, src)
	}
}

// wantStats has the session ask for STATS soon.
func (v *pathValidation) wantStats() {
	select {
	case v.ask <- struct{}{}:
	default:
	}
}

// unknown finds the stream of a datagram from a port that is no stream's. held is set, with nil, if it is kept until more is
// known; else nil means that the datagram is foreign.
func (p *dataPort) unknown(src netip.AddrPort, b []byte, now time.Time) (s *stream, held bool) {
	if s := p.fromNamed(src, b, now); s != nil {
		return s, false
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

// settle decides about candidates whose time is over and returns when the next one is due.
func (p *dataPort) settle(now time.Time) (next time.Time) {
	for _, c := range p.candidates.of {
		due := c.due(now)
		if s := c.stream; s != nil {
			switch {
			case s.finished:
				p.candidates.drop(c)
				continue
			case c.continues:
				if c.followsSurely(s, now) {
					p.happens(s, eventFollows, c, now)
				}
			case !now.Before(c.begun.Add(maxWait)):
				p.happens(s, eventHeld, c, now)
			}
			if p.candidates.of[c.src] != c {
				continue
			}
		}
		if !now.Before(c.heard.Add(candidateLife)) {
			p.candidates.drop(c)
			continue
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if tick := now.Add(candidateTick); !next.IsZero() && tick.Before(next) {
		next = tick
	}
	return next
}

// due is when something can change for a candidate by time alone.
func (c *candidate) due(now time.Time) (at time.Time) {
	at = c.heard.Add(candidateLife)
	s := c.stream
	if s == nil || s.finished {
		return at
	}
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(at) {
			at = t
		}
	}
	if !c.continues {
		sooner(c.begun.Add(maxWait))
	} else if c.count >= 2 {
		sooner(s.now.Add(farSilence))
		sooner(s.now.Add(s.limits.Hold))
	}
	return at
}

// conclude decides about the candidates of a stream that ends: what has come for it must not be lost for want of a second
// datagram.
func (p *dataPort) conclude(s *stream, now time.Time) {
	var best *candidate
	for _, c := range p.candidates.waiting(s) {
		if best == nil || c.count > best.count {
			best = c
		}
	}
	// The port may have changed just before the end.
	moved := best != nil && best.continues && best.start.seq == s.nextSeq && now.Sub(s.now) >= s.limits.Hold
	if best != nil && !s.finished && (moved || !s.path.state.begun()) {
		p.happens(s, eventEnd, best, now)
	}
	p.candidates.dropWaiting(s)
}
