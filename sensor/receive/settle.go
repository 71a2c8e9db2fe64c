package receive

import "time"

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
