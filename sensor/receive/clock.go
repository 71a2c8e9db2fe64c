package receive

import (
	"time"

	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// clockSpan is the time over which the quickest frame is looked for; the offset shown is that of one to two spans.
const clockSpan = 30 * time.Second

// recordedAge is the age from which on frames are taken for those of a capture file (-r), or of a clock that was never set:
// that is no difference of two clocks.
const recordedAge = 24 * time.Hour

// clockOffset estimates how far an agent's clock is ahead of the sensor's. A frame arrives later than it was captured by
// what the agent, the network and the sensor held it back, never sooner: so the quickest frame of a while shows the
// difference of the clocks, less its own delay. Half of the quickest answer to STATS is taken as that delay.
type clockOffset struct {
	begun         time.Time // of the current span
	known         bool
	least, before int64         // microseconds from capture to arrival: of the quickest frame in this span and the last
	delay         time.Duration // half of the quickest round trip
	timed         bool
}

// frames takes the time stamps of frames that have arrived together.
func (c *clockOffset) frames(batch []udpstr.Packet, now time.Time, nowMicro int64) {
	newest := &batch[0]
	for i := range batch[1:] {
		if p := &batch[i+1]; p.Sec > newest.Sec || p.Sec == newest.Sec && p.Usec > newest.Usec {
			newest = p
		}
	}
	c.frame(newest.Sec, newest.Usec, now, nowMicro)
}

// frame takes the time stamp of a frame, in seconds and microseconds, and its arrival.
func (c *clockOffset) frame(sec, usec uint32, now time.Time, nowMicro int64) {
	took := nowMicro - (int64(sec)*1e6 + int64(usec))
	switch {
	case !c.known:
		c.known, c.begun, c.least, c.before = true, now, took, took
	case now.Sub(c.begun) >= clockSpan:
		c.begun, c.before, c.least = now, c.least, took
	case took < c.least:
		c.least = took
	}
}

// roundTrip takes the time of a request and its answer.
func (c *clockOffset) roundTrip(d time.Duration) {
	if d /= 2; !c.timed || d < c.delay {
		c.delay, c.timed = d, true
	}
}

// status fills in the offset, or the age of frames that are too old for one.
func (c *clockOffset) fill(st *status.Peer) {
	d, known := c.offset()
	if known && d <= -recordedAge {
		st.FrameAge = -d
		return
	}
	st.ClockOffset, st.ClockKnown = d, known
}

// offset is the agent's clock less the sensor's.
func (c *clockOffset) offset() (d time.Duration, known bool) {
	took := min(c.least, c.before)
	const most = int64(1<<63-1) / 1000 // microseconds that fit into a Duration
	took = min(max(took, -most), most)
	return c.delay - time.Duration(took)*time.Microsecond, c.known
}
