package receive

import (
	"net/netip"
	"time"

	"rpcapd/udpstr"
)

const (
	// statsApart is how far apart two STATS of our own agent must be to show that its named port is silent: longer than it
	// holds a frame back and a datagram is on its way. Against one who sends as the agent does just then.
	statsApart = 100 * time.Millisecond
	// quickContest is the distance of STATS when our agent's named port may have become another one, for the first
	// quickContestFor of a candidate; then it is contestInterval. Against one who would have the agent asked without end.
	quickContest    = 200 * time.Millisecond
	quickContestFor = 2 * time.Second
	// contestInterval is the distance of STATS while it is open which of several senders is the agent.
	contestInterval = time.Second
	// usualDatagram is the longest datagram of an agent of which none has come, in bytes, and leastFrame about the least of
	// what a frame takes there: both bound what an agent of another make may hold back.
	usualDatagram = 1472
	leastFrame    = udpstr.PacketHeaderLen + 14
)

// asked notes that before the agent is asked.
func (p *dataPort) asked(s *stream) {
	m := &s.path.stats
	m.marked = uint32(s.newest)
	clear(m.of)
	for src, c := range p.candidates.of {
		if src.Addr() == s.agent && c.numbered {
			if m.of == nil {
				m.of = make(map[netip.AddrPort]uint32)
			}
			m.of[src] = c.number
		}
	}
}

// judge compares the paths of a stream with what the agent says it has captured. The agent's own path has brought no more than
// that when the agent was asked, and has brought what the agent had captured by the STATS before.
func (p *dataPort) judge(s *stream, captured uint32, now time.Time) {
	v := &s.path
	named := v.state == pathNamed || v.state == pathReserved
	if s.finished || named && v.stats.judged && now.Sub(v.stats.at) < statsApart {
		return
	}
	was := v.stats
	v.stats.judged, v.stats.at, v.stats.captured, v.stats.newest = true, now, captured, s.newest
	if !was.judged || captured != was.captured {
		v.stats.grew = now
	}
	best := p.agreeing(s, captured, &was)
	if ev, ok := p.statsEvent(s, best, captured, &was, now); ok {
		p.happens(s, ev, best, now)
	}
}

// statsEvent is what STATS show; was is of the STATS before, and best the candidate that agrees best.
func (p *dataPort) statsEvent(s *stream, best *candidate, captured uint32, was *statsMarks, now time.Time) (ev pathEvent, ok bool) {
	// What the agent had captured by the STATS before, and has not come.
	overdue := was.judged && int32(was.captured-uint32(s.newest)) > 0
	switch {
	case !s.path.state.begun():
		return eventStatsOther, best != nil && overdue
	case s.path.state == pathNamed:
		// An agent whose last frames were lost is idle with frames overdue: what it has captured must have grown since the
		// candidate began, or who counts up to its number would be taken for it.
		return eventStatsMoved, best != nil && overdue && now.Sub(s.now) >= statsApart && best.movedFrom(s) &&
			!s.path.stats.grew.Before(best.known)
	}
	slack := s.pathSlack()
	ahead := int32(was.marked-captured) > 0
	grew := was.judged && int32(captured-was.captured) > 0
	silent := grew && s.newest == was.newest && uint32(s.newest) != captured
	behind := was.judged && int32(was.captured-slack-was.marked) > 0
	switch wrong := ahead || silent || behind; {
	case wrong && best != nil && !ahead && silent && best.movedFrom(s):
		return eventStatsMoved, true
	case wrong && best != nil:
		return eventStatsOther, true
	case ahead:
		return eventStatsAhead, true
	}
	return eventStatsAgree, grew && !silent && !behind && best == nil
}

// movedFrom reports whether a candidate has begun where a stream is or ahead of that, and was not heard while its active path
// was.
func (c *candidate) movedFrom(s *stream) bool {
	return s.now.Sub(c.known) <= s.limits.Hold && int32(c.start.seq-s.nextSeq) >= 0 && int32(c.number-uint32(s.newest)) > 0
}

// agreeing returns the candidate that was nearest to what the agent had captured when it was asked, and neither beyond that nor
// behind what it had captured by the STATS before.
func (p *dataPort) agreeing(s *stream, captured uint32, was *statsMarks) (best *candidate) {
	slack := s.pathSlack()
	for src, marked := range was.of {
		c := p.candidates.of[src]
		if c == nil || c.count < 2 || int32(captured-marked) < 0 || s.format != formatUnknown && c.start.format != s.format ||
			was.judged && int32(was.captured-slack-marked) > 0 {
			continue
		}
		if best == nil || captured-marked < captured-was.of[best.src] {
			best = c
		}
	}
	return best
}

// contested reports whether STATS are wanted sooner than usual, and how soon: a candidate may be the agent's path.
func (p *dataPort) contested(s *stream, now time.Time) (every time.Duration, yes bool) {
	every = contestInterval
	st := s.path.state
	for src, c := range p.candidates.of {
		switch {
		case src.Addr() != s.agent || s.finished || st == pathValidated || st == pathUnanswered || st == pathOpen:
		case st == pathReserved || st == pathNamed:
			if c.stream == s {
				yes = true
				if now.Sub(c.known) < quickContestFor {
					every = quickContest
				}
			}
		case c.count >= 2 && now.Sub(c.heard) < 2*contestInterval:
			yes = true
		}
	}
	return every, yes
}

// pathSlack is how many frames the agent's path may be behind what it had captured by the STATS before. Ours holds none back.
func (s *stream) pathSlack() uint32 {
	if s.path.named.IsValid() {
		return 0
	}
	return uint32(s.heldBack())
}

// heldBack is how many frames an agent of another make may keep until its datagram is full.
func (s *stream) heldBack() uint64 {
	if s.format == formatPlain {
		return 0
	}
	return uint64(max(s.largest, usualDatagram) / leastFrame)
}
