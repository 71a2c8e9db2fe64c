package sensor

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"rpcapd/sensor/address"

	"go.uber.org/zap"
)

// Our agent says which port its data leaves from (rpcap.FlagReportPort), before it sends anything. So what comes from that
// port is its own at once, and what comes from another is not, unless a NAT may have changed the port: the agent's address
// here is none of its interfaces'. Until the agent has answered STARTCAP nothing is believed; until its STATS say otherwise
// nothing else is. Agents of other makes say 0, and claim.go judges.

// translated reports whether a NAT may lie between: the address that the agent is known by is none that it has listed.
func (s *session) translated() bool {
	for i := range s.listed.All() {
		for k := range i.Addresses {
			if addr, ok := i.Addresses[k].Addr.Addr(); ok && address.Plain(addr) == s.peer.Addr() {
				return false
			}
		}
	}
	return true
}

// announced takes the port that the agent says it sends from; 0 if it has not said.
func (p *dataPort) announced(s *stream, port uint16, translated bool, now time.Time) {
	s.undecided = false
	if port != 0 {
		s.announced = netip.AddrPortFrom(s.agent, port)
		s.strict = !translated
		p.expected[s.announced] = s
		if c := p.claims[s.announced]; c != nil && c.waits == s {
			p.takeAnnounced(s, c.beginning())
			p.give(c, s, now)
		}
	}
	if s.strict {
		return // others wait for STATS
	}
	for _, c := range p.waiting(s) {
		switch {
		case len(s.sources) > 0:
			p.drop(c)
		case c.opens || c.count >= 2:
			p.accept(c, s, now)
		}
	}
}

// waiting returns the claims that wait for a stream, the oldest first.
func (p *dataPort) waiting(s *stream) (list []*claim) {
	for _, c := range p.claims {
		if c.waits == s {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *claim) int { return cmp.Or(a.begun.Compare(b.begun), cmp.Compare(a.first, b.first)) })
	return list
}

// fromAnnounced returns the stream whose agent has said that it sends from src, when this is its first datagram from there.
func (p *dataPort) fromAnnounced(src netip.AddrPort, b []byte, now time.Time) *stream {
	s := p.expected[src]
	if s == nil {
		return nil
	}
	g := look(b, s.maxCaplen())
	heard, late := p.ended[src]
	if g.format == formatUnknown || late && !g.begun() && now.Sub(heard) < lingerTime {
		return nil // of a capture that had the same port before
	}
	if c := p.claims[src]; c != nil {
		p.drop(c)
	}
	if len(s.sources) > 0 { // somebody else was quicker, or a NAT has given the port back
		p.displace(s, src, &g)
		s.confirmed = true
		delete(p.expected, src)
		return s
	}
	p.takeAnnounced(s, &g)
	return s
}

// takeAnnounced begins a stream with the announced port.
func (p *dataPort) takeAnnounced(s *stream, g *glimpse) {
	p.bind(s, s.announced, g)
	s.believable, s.confirmed = true, true // nobody takes it away but STATS
	delete(p.expected, s.announced)
}

// holdBack keeps what comes for a stream that nobody but the announced port may begin yet.
func (p *dataPort) holdBack(s *stream, src netip.AddrPort, g *glimpse, b []byte, now time.Time) (held bool) {
	if !g.credible {
		return false
	}
	p.hold(p.stand(src, g, now), s, b)
	return true
}

// judgeSilent lets the claim that agrees with the agent's numbers begin a stream of whose announced port nothing has come:
// something between has changed the port.
func (p *dataPort) judgeSilent(s *stream, captured uint32, now time.Time) {
	if !s.strict || s.undecided || captured == 0 {
		return
	}
	best := p.agreeing(s, captured)
	if best == nil {
		return
	}
	p.log.Info("stream comes from another port than the agent has said", zap.String("peer", s.source.shown()),
		zap.Uint16("port", p.port), zap.Stringer("said", s.announced), zap.Stringer("source", best.src))
	s.strict = false
	p.accept(best, s, now)
}
