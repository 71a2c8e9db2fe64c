package receive

import (
	"time"

	"rpcapd/udpstr"
)

const (
	// starvedShare is the share of the frames that must arrive, as a divisor, and starvedLeast from how many on it counts.
	starvedShare = 10
	starvedLeast = 64
	// framesPerDatagram is how many frames a datagram may have, about.
	framesPerDatagram = 100
	// manyStats is how many STATS running must show a loss, so that what is on its way is none.
	manyStats = 2
	// usualDatagram is the longest datagram of an agent of which none has come, in bytes, and leastFrame about the least of
	// what a frame takes there: both bound what an agent of another make may hold back.
	usualDatagram = 1472
	leastFrame    = udpstr.PacketHeaderLen + 14
)

// account compares what the agent says it has captured with what has come. Gaps between frames show themselves; that nothing
// comes any more does not.
type account struct {
	frames uint64    // captured by the STATS before the last, and neither come nor known to be lost
	since  time.Time // of the first of manyStats running that had more than an agent may hold back
	first  time.Time
	times  int

	base    uint32 // captured at an earlier STATS by which enough had arrived; 0 at first
	arrived uint64 // frames that had come by then
	foreign uint64 // what strangers had sent by then
	hungry  int    // STATS running with less than a share of what was captured since
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

// heldBack is how many frames an agent of another make may keep until its datagram is full.
func (s *stream) heldBack() uint64 {
	if s.format == formatPlain {
		return 0
	}
	return uint64(max(s.largest, usualDatagram) / leastFrame)
}

// overdue notes the frames that should have come by now.
func (a *account) overdue(frames, slack uint64, now time.Time) {
	a.frames = frames
	switch {
	case frames <= slack:
		a.times, a.since = 0, time.Time{}
		return
	case a.times == 0:
		a.first = now
	}
	if a.times++; a.times >= manyStats {
		a.since = a.first
	}
}

// feed notes how much of what was captured has arrived.
// Where strangers send about as much, a NAT has changed the address, and super-packets are not to blame.
func (a *account) feed(captured uint32, frames, foreign uint64) {
	strange := foreign - min(a.foreign, foreign)
	sent := captured - a.base
	switch {
	case int32(sent) < 0:
		a.base, a.arrived, a.foreign, a.hungry = captured, frames, foreign, 0
	case sent < starvedLeast || strange*framesPerDatagram > uint64(sent): // too few to tell, or the agent's own
	case (frames-min(frames, a.arrived))*starvedShare < uint64(sent):
		a.hungry++
	default:
		a.base, a.arrived, a.foreign, a.hungry = captured, frames, foreign, 0
	}
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
