package agent

import (
	"sync"
	"time"
)

// allowance bounds the CPU time that requests take: burst at once, and then share of one processor. What is beyond is
// answered late, not refused.
type allowance struct {
	burst time.Duration
	share float64
}

// The two together are 325 ms and 3.5 %, so 10 % over 5 s. Beginning and ending captures has an allowance of its own: a large
// ring costs more than the burst on every host, and STATS must not come late for it.
var (
	// captureAllowance is for STARTCAP and ENDCAP.
	captureAllowance = allowance{175 * time.Millisecond, 0.01}
	// requestAllowance is for all others; the burst is a handshake with thousands of interfaces.
	requestAllowance = allowance{150 * time.Millisecond, 0.025}
)

const (
	// requestLeast is what a request costs at least, with reading it and garbage (measured: 170 to
	// 190 µs for those that are refused at once). captureLeast and ringLeast are what one costs that
	// makes a ring, which another thread gives back later (measured: 8 to 19 ms with 16 MiB).
	requestLeast = 200 * time.Microsecond
	captureLeast = 2 * time.Millisecond
	ringLeast    = time.Millisecond / 2 // for each MiB
	// requestWait is the longest that a request waits: sensors give up after 10 s without an answer.
	requestWait = 4 * time.Second
)

// budget is the CPU time that a session has spent of an allowance: a token bucket, in
// which a session may run into debt by one request. The zero value is full.
type budget struct {
	spent time.Duration // not given back yet; above the burst is debt
	at    time.Time
}

// charge takes the cost of a request out.
func (b *budget) charge(cost time.Duration, a allowance, now time.Time) {
	b.giveBack(a, now)
	b.spent += cost
}

// debt is how long it takes until the next request may be answered, at most requestWait.
func (b *budget) debt(a allowance, now time.Time) time.Duration {
	b.giveBack(a, now)
	if b.spent <= a.burst {
		return 0
	}
	return min(time.Duration(float64(b.spent-a.burst)/a.share), requestWait)
}

func (b *budget) giveBack(a allowance, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.spent = max(0, b.spent-time.Duration(float64(d)*a.share))
	}
	b.at = now
}

// requestCost is what a request is charged with: the CPU time of its thread and a quarter for
// garbage, or the least that such a request costs. ringBytes is the size of the ring that it has
// made, 0 without one.
func requestCost(measured time.Duration, ringBytes int) time.Duration {
	least := requestLeast
	if ringBytes > 0 {
		least = captureLeast + time.Duration(float64(ringBytes)/(1<<20)*float64(ringLeast))
	}
	return max(measured+measured/4, least)
}

const (
	// chatterBurst lines about captures are logged at once, then one each chatterPause.
	chatterBurst = 40
	chatterPause = 30 * time.Second
)

// chatter bounds the log lines that a sensor can cause by what is no error.
type chatter struct {
	mu       sync.Mutex
	used     int
	at       time.Time
	unlogged uint64
}

// allow says whether a line is logged, and how many were not since the last one.
func (c *chatter) allow(now time.Time) (unlogged uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := int(now.Sub(c.at) / chatterPause); n > 0 {
		c.used, c.at = max(0, c.used-n), now
	}
	if c.used >= chatterBurst {
		c.unlogged++
		return 0, false
	}
	c.used++
	unlogged, c.unlogged = c.unlogged, 0
	return unlogged, true
}
