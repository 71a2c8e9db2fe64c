package agent

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/udpstr"
)

const (
	// rateBurst is how long a quiet agent saves up what it did not use, so that a short
	// burst above MaxRate passes whole.
	rateBurst = 100 * time.Millisecond
	// rateBurstMin lets one frame of any size pass at the lowest rate.
	rateBurstMin = udpstr.MaxCaplen

	// exportPerDatagram is what a datagram adds to the stream: its own header, UDP and
	// IPv4. It is spread over the bytes that a datagram usually carries.
	exportPerDatagram = udpstr.HeaderLen + 8 + 20
)

// rateLimit is MaxRate: a token bucket over what all captures of the agent send. It
// is asked once a block and drops before the copy, so that the datagrams stay whole.
type rateLimit struct {
	bytesPerSecond atomic.Int64 // 0: no limit

	mu     sync.Mutex
	tokens int64 // bytes; may fall below zero by one frame
	last   time.Time
}

// set changes the limit, in bits per second; 0 lifts it.
func (r *rateLimit) set(bitsPerSecond uint64) { r.bytesPerSecond.Store(int64(bitsPerSecond / 8)) }

func (r *rateLimit) on() bool { return r.bytesPerSecond.Load() > 0 }

// keep compacts frames to those that the limit lets pass now.
func (r *rateLimit) keep(frames []udpstr.Frame, now time.Time) []udpstr.Frame {
	rate := r.bytesPerSecond.Load()
	if rate <= 0 {
		return frames
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refill(rate, now)
	kept := 0
	for i := range frames {
		if r.tokens <= 0 {
			continue
		}
		r.tokens -= exportCost(len(frames[i].Data))
		frames[kept] = frames[i]
		kept++
	}
	return frames[:kept]
}

func (r *rateLimit) refill(rate int64, now time.Time) {
	burst := max(over(rate, rateBurst), rateBurstMin)
	if r.last.IsZero() {
		r.tokens = burst
	} else if d := min(now.Sub(r.last), time.Second); d > 0 {
		r.tokens = min(burst, r.tokens+over(rate, d))
	}
	r.last = now
}

// over is rate times d, of at most a second: the product of the two in nanoseconds has more than 64
// bits from 74 Gbit/s on.
func over(bytesPerSecond int64, d time.Duration) int64 {
	hi, lo := bits.Mul64(uint64(bytesPerSecond), uint64(d))
	q, _ := bits.Div64(hi, lo, uint64(time.Second))
	return int64(q)
}

// exportCost is the bytes that a frame of caplen bytes takes on the way to the sensor.
func exportCost(caplen int) int64 {
	n := udpstr.PacketHeaderLen + caplen
	return int64(n + (n*exportPerDatagram+autoLimitIPv4-1)/autoLimitIPv4)
}
