package sensor

import (
	"bytes"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Nothing in the protocol says which source port an agent sends from, and anybody at its address can send to the port that
// it was given: another user of the host, another host behind the same NAT, whoever forges addresses. So what comes from an
// unknown port is a claim at first:
//
//	the stream awaits its first datagram    number 0 with frame 1 is believed at once, another number when a second
//	                                        datagram follows from the same port, or after claimHold
//	it has begun with one datagram          another port takes it away with a beginning, if it had none, or with a
//	                                        beginning and a second datagram
//	it has begun with two that agree        another port continues it if seqno and frame number follow; nearly without a
//	                                        gap at once, else when the former port is silent
//	neither                                 the agent's STATS decide, see dataPort.judge
//
// What is held for a claim that fails is counted as foreign.

const (
	// claimHold is how long the first datagram of a stream is held if it is not number 0 and no second one follows.
	claimHold = time.Second
	// claimLife is how long a claim is remembered after its last datagram.
	claimLife = 15 * time.Second
	// claimTick bounds the sleep of a port with claims: what the agent's STATS settle happens beside its goroutine.
	claimTick = time.Second
	// maxClaims bounds the claims of one port.
	maxClaims = 32
	// maxHeldOfClaim bounds the datagrams held for one claim. Our agents may send as many before the sensor has read
	// their answer to STARTCAP.
	maxHeldOfClaim = 2048
	// maxOvertaking is how far datagrams of a claim may overtake each other.
	maxOvertaking = 64
	// maxHeldBytes bounds what all ports of a sensor hold for claims.
	maxHeldBytes = 16 << 20
	// nearGap is the number of datagrams that may be lost when a source port changes for the new one to be believed at once.
	// One who guesses numbers cannot do more harm than that.
	nearGap = 4
	// farSilence is how long the former source port must have been silent if more than the reorder window is missing.
	farSilence = time.Second
)

// claim is a source port at an agent's address that sends what may be the agent's stream.
type claim struct {
	src    netip.AddrPort
	format streamFormat
	opens  bool      // its first datagram was the beginning of a capture
	first  uint32    // seq of its first datagram
	next   uint32    // seq after its last one
	count  int       // datagrams that follow each other
	begun  time.Time // arrival of the first
	heard  time.Time // and of the last

	numbered bool
	number   uint32 // of the last frame that has begun

	waits  *stream  // held for this stream to begin, or to go on; nil: nothing is held
	goesOn bool     // it was where that stream goes on
	from   uint32   // where that stream stood when the claim began
	held   [][]byte // in the order of their numbers
	bytes  int
}

// followedBy reports whether a datagram goes on where the claim's last one ended.
func (c *claim) followedBy(g *glimpse) bool {
	if !c.numbered {
		return g.format == c.format && g.credible && g.seq-c.next < continuationWindow
	}
	return g.follows(c.format, c.next, c.number, 0)
}

// overtook reports whether a datagram is the claim's last one again, or one that others of it have overtaken.
func (c *claim) overtook(g *glimpse) bool {
	return g.format == c.format && g.credible && c.next-1-g.seq < maxOvertaking
}

// stand notes a datagram of a claim, which begins anew when it does not follow the one before. It returns the claim.
func (p *dataPort) stand(src netip.AddrPort, g *glimpse, now time.Time) *claim {
	c := p.claims[src]
	if c != nil && c.overtook(g) {
		c.heard = now
		if int32(g.seq-c.first) < 0 {
			c.first, c.opens = g.seq, g.opens
		}
		return c
	}
	if c != nil && !c.followedBy(g) {
		p.drop(c)
		c = nil
	}
	if c == nil {
		if len(p.claims) >= maxClaims {
			p.dropWeakest()
		}
		c = &claim{src: src, format: g.format, opens: g.opens, first: g.seq, begun: now}
		p.claims[src] = c
	}
	c.count++
	c.next, c.heard = g.seq+1, now
	if g.numbered {
		c.numbered, c.number = true, g.last
	}
	return c
}

// hold keeps a datagram until the claim is decided. Without room it is foreign.
func (p *dataPort) hold(c *claim, s *stream, b []byte) {
	if c.waits != s {
		p.discard(c)
		c.waits, c.from = s, s.nextSeq
	}
	if len(c.held) >= maxHeldOfClaim {
		p.foreign++
		return
	}
	if p.held.Add(int64(len(b))) > maxHeldBytes {
		p.held.Add(-int64(len(b)))
		p.foreign++
		return
	}
	seq, at := seqOf(b), len(c.held) // a stream begins with the lowest number
	for ; at > 0 && int32(seq-seqOf(c.held[at-1])) < 0; at-- {
	}
	c.held = slices.Insert(c.held, at, bytes.Clone(b))
	c.bytes += len(b)
}

func seqOf(b []byte) uint32 {
	_, seq := classify(b)
	return seq
}

// discard counts what a claim holds as foreign.
func (p *dataPort) discard(c *claim) {
	p.foreign += uint64(len(c.held))
	p.held.Add(-int64(c.bytes))
	c.held, c.bytes, c.waits, c.goesOn = nil, 0, nil, false
}

// drop forgets a claim.
func (p *dataPort) drop(c *claim) {
	p.discard(c)
	delete(p.claims, c.src)
}

// dropWeakest makes room: of the claims with the fewest datagrams the one that was silent for longest goes.
func (p *dataPort) dropWeakest() {
	var weakest *claim
	for _, c := range p.claims {
		if weakest == nil || min(c.count, 2) < min(weakest.count, 2) ||
			min(c.count, 2) == min(weakest.count, 2) && c.heard.Before(weakest.heard) {
			weakest = c
		}
	}
	if weakest != nil {
		p.drop(weakest)
	}
}

// dropClaims forgets the claims that wait for a stream.
func (p *dataPort) dropClaims(s *stream) {
	for _, c := range p.claims {
		if c.waits == s {
			p.drop(c)
		}
	}
}

// give hands the stream what was held for the claim, which has become one of its sources.
func (p *dataPort) give(c *claim, s *stream, now time.Time) {
	held := c.held
	p.held.Add(-int64(c.bytes))
	c.held, c.bytes, c.waits = nil, 0, nil
	delete(p.claims, c.src)
	for _, b := range held {
		p.confirm(s, b)
		s.datagram(b, now)
	}
	p.time(s)
}

// claimed finds the stream of a datagram from an unknown source port. held is set if it is kept until that is decided.
func (p *dataPort) claimed(src netip.AddrPort, b []byte, now time.Time) (s *stream, held bool) {
	waiting := p.pending[src.Addr()]
	g := look(b, p.maxCaplen(src.Addr()))
	// Only the very first datagram of a capture shows that the agent's system gave an ended stream's port to a new one.
	if _, ok := p.ended[src]; ok && (waiting == nil || !g.begun()) {
		p.ended[src] = now
		return nil, false
	}
	if g.format == formatUnknown {
		return nil, false
	}
	if waiting != nil && (waiting.undecided || waiting.strict) {
		return nil, p.holdBack(waiting, src, &g, b, now)
	}
	c := p.claims[src]
	switch {
	case c == nil || c.waits == nil || !c.followedBy(&g):
	case c.goesOn:
		return p.continues(c.waits, src, &g, b, now)
	case c.opens && waiting == nil: // it has not begun where another stream goes on
		return p.rivals(src, &g, b, now)
	}
	if waiting == nil || g.seq >= continuationWindow {
		if s := p.continued(src.Addr(), &g); s != nil {
			return p.continues(s, src, &g, b, now)
		}
	}
	if waiting != nil {
		return p.begins(waiting, src, &g, b, now)
	}
	return p.rivals(src, &g, b, now)
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

// begins judges a datagram that a stream may begin with.
func (p *dataPort) begins(s *stream, src netip.AddrPort, g *glimpse, b []byte, now time.Time) (_ *stream, held bool) {
	switch {
	case g.opens:
		if c := p.claims[src]; c != nil {
			if c.waits == s && c.overtook(g) {
				p.hold(p.stand(src, g, now), s, b)
				p.accept(c, s, now)
				return nil, true
			}
			p.drop(c)
		}
		return p.bind(s, src, g), false
	case !g.credible && !p.contested(s): // the reassembler takes nothing from it, and anything better displaces it
		return p.bind(s, src, g), false
	case !g.credible:
		return nil, false
	}
	c := p.stand(src, g, now)
	p.hold(c, s, b)
	if c.count >= 2 {
		p.accept(c, s, now)
	}
	return nil, true
}

// accept begins a stream with a claim.
func (p *dataPort) accept(c *claim, s *stream, now time.Time) {
	p.bind(s, c.src, c.beginning())
	p.give(c, s, now)
}

// beginning is what is remembered of a claim's first datagram.
func (c *claim) beginning() *glimpse {
	return &glimpse{format: c.format, seq: c.first, opens: c.opens, credible: true}
}

// contested reports whether there is a claim that waits for the stream.
func (p *dataPort) contested(s *stream) bool {
	for _, c := range p.claims {
		if c.waits == s {
			return true
		}
	}
	return false
}

// continues judges a datagram that goes on where a stream is, from another source port.
func (p *dataPort) continues(s *stream, src netip.AddrPort, g *glimpse, b []byte, now time.Time) (_ *stream, held bool) {
	c := p.stand(src, g, now)
	// When the former source goes on it has not moved. What it had sent before is soon there.
	if c.waits == s && (int32(s.nextSeq-c.first) > 0 || s.now.Sub(c.begun) > s.limits.Hold) {
		p.drop(c)
		if s.finished {
			return nil, false
		}
		c = p.stand(src, g, now)
	}
	p.hold(c, s, b)
	c.goesOn = true
	p.rebound(c, s, now)
	return nil, true
}

// rebound lets the stream go on from the claim's port if that is certain enough.
func (p *dataPort) rebound(c *claim, s *stream, now time.Time) bool {
	gap, silent := c.first-s.nextSeq, now.Sub(s.now)
	switch {
	case !c.goesOn || int32(gap) < 0 || c.count < 2 || s.now.Sub(c.begun) > s.limits.Hold:
		return false
	case gap <= nearGap && s.nextSeq == c.from:
	case gap <= uint32(max(s.limits.Window, 0)) && silent >= s.limits.Hold:
	case silent >= farSilence:
	default:
		return false
	}
	p.rebind(s, c.src)
	p.give(c, s, now)
	return true
}

// rivals judges a datagram that belongs to no stream as they are. It takes away one that has only begun.
func (p *dataPort) rivals(src netip.AddrPort, g *glimpse, b []byte, now time.Time) (_ *stream, held bool) {
	if !g.credible {
		return nil, false
	}
	var s *stream // the one of that address that is least certain
	for k := range p.streams {
		if k.agent == src.Addr() && len(k.sources) > 0 && !k.finished && (s == nil || s.confirmed && !k.confirmed) {
			s = k
		}
	}
	switch {
	case s == nil:
		return nil, false
	case s.confirmed:
		p.stand(src, g, now)
		return nil, false
	case g.opens && !s.opened:
		p.displace(s, src, g)
		return s, false
	}
	c := p.stand(src, g, now)
	p.hold(c, s, b)
	if c.count >= 2 && (c.opens || !s.opened) {
		p.displace(s, c.src, c.beginning())
		p.give(c, s, now)
	}
	return nil, true
}

// confirm notes the second datagram of a stream that agrees with its first.
func (p *dataPort) confirm(s *stream, b []byte) {
	if s.confirmed || s.finished {
		return
	}
	g := look(b, s.maxCaplen())
	if !g.credible || g.format != s.format || g.seq == s.firstSeq || g.seq-s.firstSeq >= 2*continuationWindow {
		return
	}
	if s.firstNumbered && g.numbered && int32(g.number-s.firstNumber) <= 0 {
		return
	}
	if !s.believable { // the first could not be read
		s.believable = true
		s.firstSeq, s.firstNumbered, s.firstNumber = g.seq, g.numbered, g.last
		return
	}
	s.confirmed = true
	p.dropClaims(s)
}

// displace gives a stream to the source that it truly comes from. What was taken for it was somebody else's.
func (p *dataPort) displace(s *stream, src netip.AddrPort, g *glimpse) {
	wrong := s.sources
	was := s.arrived()
	p.foreign += s.taken
	for _, old := range wrong {
		delete(p.bySrc, old)
	}
	s.disown()
	p.bind(s, src, g)
	p.log.Warn("another sender at the agent's address was taken for the agent; its frames have gone to the outputs",
		zap.String("peer", s.source.shown()), zap.Uint16("port", p.port), zap.Stringer("sender", wrong[len(wrong)-1]),
		zap.Stringer("agent", src), zap.Uint64("frames", was.Frames))
}

// settle decides claims whose time is over and returns when the next one is due.
func (p *dataPort) settle(now time.Time) (next time.Time) {
	for _, c := range p.claims {
		due := c.heard.Add(claimLife)
		if s := c.waits; s != nil {
			switch {
			case s.finished:
				p.drop(c)
				continue
			case len(s.sources) == 0 && (s.undecided || s.strict): // the agent's word is waited for
			case len(s.sources) == 0: // to begin
				if due = c.begun.Add(claimHold); !now.Before(due) {
					p.accept(c, s, now)
					continue
				}
			case p.rebound(c, s, now):
				continue
			case int32(s.nextSeq-c.first) <= 0 && s.confirmed && c.count >= 2:
				if wait := s.now.Add(farSilence); wait.After(now) && wait.Before(due) {
					due = wait
					if hold := s.now.Add(s.limits.Hold); hold.After(now) {
						due = hold
					}
				}
			}
		}
		if !now.Before(due) {
			p.drop(c)
			continue
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	if tick := now.Add(claimTick); !next.IsZero() && tick.Before(next) {
		next = tick
	}
	return next
}

// conclude decides the claims for a stream that ends: what has come for it must not be lost for want of a second datagram.
func (p *dataPort) conclude(s *stream, now time.Time) {
	var best *claim
	for _, c := range p.claims {
		if c.waits == s && (best == nil || c.count > best.count) {
			best = c
		}
	}
	switch {
	case best == nil || s.finished || len(s.sources) == 0 && (s.undecided || s.strict):
	case len(s.sources) == 0:
		p.accept(best, s, now)
	case best.goesOn && best.first == s.nextSeq && now.Sub(s.now) >= s.limits.Hold: // the port changed just before the end
		p.rebind(s, best.src)
		p.give(best, s, now)
	}
	p.dropClaims(s)
}

// asked notes where a stream and the claims of its agent stand before that is asked for its numbers. Each stream keeps that
// for itself: several captures of one address ask at different times.
func (p *dataPort) asked(s *stream) {
	s.marked = uint32(s.newest)
	clear(s.claimed)
	for src, c := range p.claims {
		if src.Addr() == s.agent && c.numbered {
			if s.claimed == nil {
				s.claimed = make(map[netip.AddrPort]uint32)
			}
			s.claimed[src] = c.number
		}
	}
}

// judge compares a stream with what the agent says it has captured. A stream is somebody else's if it was ahead of that
// when the agent was asked; it has moved if nothing came since the last time while the agent has captured more. Then a claim
// that agrees with the agent is believed.
func (p *dataPort) judge(s *stream, captured uint32, now time.Time) {
	ahead := int32(s.marked-captured) > 0
	silent := s.judged && int32(captured-s.judgedCaptured) > 0 && s.newest == s.judgedNewest && uint32(s.newest) != captured
	s.judged, s.judgedCaptured, s.judgedNewest = true, captured, s.newest
	switch {
	case s.finished:
		return
	case len(s.sources) == 0:
		p.judgeSilent(s, captured, now)
		return
	case !ahead && !silent:
		return
	}
	best := p.agreeing(s, captured)
	if best == nil {
		return
	}
	s.judged = false
	if !ahead && int32(best.next-s.nextSeq) > 0 && int32(best.number-uint32(s.newest)) > 0 {
		p.rebind(s, best.src) // too far for continued
		p.give(best, s, now)
		return
	}
	p.displace(s, best.src, &glimpse{format: best.format, seq: best.next, credible: true})
	p.give(best, s, now)
}

// agreeing returns the claim that was nearest to what the agent had captured when it was asked, and not beyond.
func (p *dataPort) agreeing(s *stream, captured uint32) (best *claim) {
	for src, marked := range s.claimed {
		c := p.claims[src]
		if c == nil || c.count < 2 || int32(captured-marked) < 0 || s.format != formatUnknown && c.format != s.format {
			continue
		}
		if best == nil || captured-marked < captured-s.claimed[best.src] {
			best = c
		}
	}
	return best
}

// heldBytes is shared by the ports of a sensor.
type heldBytes = atomic.Int64
