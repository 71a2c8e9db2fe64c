package receive

import (
	"net/netip"
	"time"
)

// Our agent names the port that its data leaves from (rpcap.FlagReportPort) before it sends anything. Agents of other makes say
// 0, and the other events of pathTable decide.

// names takes the port that the agent says it sends from; 0 if it has not said.
func (p *dataPort) names(s *stream, port uint16, translated bool, now time.Time) {
	if port == 0 {
		p.happens(s, eventUnnamed, nil, now)
		return
	}
	s.path.named = netip.AddrPortFrom(s.agent, port)
	s.path.direct = !translated
	p.expected[s.path.named] = s
	if translated {
		p.happens(s, eventNamesNAT, nil, now)
		return
	}
	p.happens(s, eventNames, nil, now)
}

// fromNamed returns the stream whose agent has named src, when this is its first datagram from there.
func (p *dataPort) fromNamed(src netip.AddrPort, b []byte, now time.Time) *stream {
	s := p.expected[src]
	if s == nil {
		return nil
	}
	h := readHeader(b, s.maxCaplen())
	heard, late := p.ended[src]
	if h.format == formatUnknown || late && !h.begun() && now.Sub(heard) < lingerTime {
		return nil // of a capture that had the same port before
	}
	if c := p.candidates.of[src]; c != nil {
		p.candidates.drop(c)
	}
	s, _ = p.datagram(s, s.path.namedEvent(), nil, src, &h, b, now)
	return s
}
