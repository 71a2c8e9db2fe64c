package receive

import "time"

const (
	// starvedShare is the share of the frames that must arrive, as a divisor, and starvedLeast from how many on it counts.
	starvedShare = 10
	starvedLeast = 64
	// framesPerDatagram is how many frames a datagram may have, about.
	framesPerDatagram = 100
	// manyStats is how many STATS running must show a loss, so that what is on its way is none.
	manyStats = 2
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
