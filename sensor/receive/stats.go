package receive

import (
	"time"

	"rpcapd/rpcap"
)

// Asked notes what has come before the agent is asked for STATS.
func (c *Capture) Asked() {
	if c.tcp != nil {
		c.tcp.asked()
		return
	}
	c.port.with(func() { c.port.asked(c.stream) })
}

// Answered takes the agent's answer to STATS, and how long it took. Asked came before.
func (c *Capture) Answered(reply rpcap.StatsReply, took time.Duration) {
	before, _ := c.LastReport()
	c.reported(reply)
	c.judge(reply.Captured)
	c.compare(before.Captured, reply.Captured, time.Now())
	c.roundTrip(took)
}

// judge compares what has come with the agent's answer.
func (c *Capture) judge(captured uint32) {
	if c.tcp != nil {
		c.tcp.judge(captured)
		return
	}
	c.port.with(func() { c.port.judge(c.stream, captured, time.Now()) })
}

// compare takes the agent's answer to STATS, and the one before: what that counted has had an interval to arrive.
func (c *Capture) compare(before, captured uint32, now time.Time) {
	foreign := c.foreign()
	c.guard.Lock()
	defer c.guard.Unlock()
	s := c.stream
	if s.finished {
		return
	}
	if s.udpstr != nil {
		s.udpstr.Known(before, now)
	}
	slack := uint64(0)
	if !c.ours {
		slack = s.heldBack()
	}
	s.account.overdue(s.tailLoss(before), slack, now)
	s.account.feed(captured, s.arrived().Frames, foreign)
}

// foreign counts what strangers have sent to the capture's port.
func (c *Capture) foreign() uint64 {
	if c.port != nil {
		if k, ok := c.port.sock.(separator); ok {
			return k.Strangers()
		}
	}
	return 0
}

// Starved reports whether hardly anything arrives of an agent that could send in another way.
func (c *Capture) Starved() bool {
	if !c.ours || c.port == nil {
		return false
	}
	c.guard.Lock()
	defer c.guard.Unlock()
	return c.stream.account.hungry >= manyStats
}

// Final takes the agent's numbers after ENDCAP. It reports whether they are valid: not behind what has come.
func (c *Capture) Final(r rpcap.StatsReply) bool {
	c.guard.Lock()
	seen := uint32(c.stream.newest)
	c.guard.Unlock()
	if int32(r.Captured-seen) < 0 {
		return false
	}
	c.reported(r)
	return true
}

// roundTrip takes how long the agent took for an answer.
func (c *Capture) roundTrip(d time.Duration) {
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.clock.roundTrip(d)
}

// Announced takes the port that the agent says it sends from, 0 if it does not say; translated tells that a NAT may have
// changed it.
func (c *Capture) Announced(port uint16, translated bool) {
	c.ours = port != 0
	if c.tcp != nil {
		c.tcp.announced(port, translated)
		return
	}
	c.port.with(func() { c.port.names(c.stream, port, translated, time.Now()) })
}

// Contested reports whether somebody else at the agent's address may be the agent, so that its STATS are wanted soon, and at
// what distance.
func (c *Capture) Contested() (every time.Duration, yes bool) {
	if c.tcp != nil {
		return contestInterval, c.tcp.contested()
	}
	c.port.with(func() { every, yes = c.port.contested(c.stream, time.Now()) })
	return every, yes
}
