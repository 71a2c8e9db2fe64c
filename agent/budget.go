package agent

import (
	"context"
	"runtime"
	"sync"
	"time"

	"rpcapd/rpcap"
)

const (
	// requestBurst and requestShare bound the CPU time that the requests of all sensors
	// take: 250 ms at once, which is a handshake with thousands of interfaces, and then 5 %,
	// so 10 % over 5 s. What is beyond is answered late, not refused.
	requestBurst = 250 * time.Millisecond
	requestShare = 0.05
	// requestLeast is what a request costs at least, with reading it and garbage (measured: 170 to
	// 190 µs for those that are refused at once). captureLeast and ringLeast are what one costs that
	// makes a ring, which another thread gives back later (measured: 8 to 19 ms with 16 MiB).
	requestLeast = 200 * time.Microsecond
	captureLeast = 2 * time.Millisecond
	ringLeast    = time.Millisecond / 2 // for each MiB
	// requestWait is the longest that a request waits: sensors give up after 10 s without an answer. A
	// ring of hundreds of MiB costs more than the burst on every host, however rarely it is made.
	requestWait = 4 * time.Second
	// statsPause is how often STATS of a running capture are answered without a wait. Sensors close a connection that
	// does not answer STATS within 3 s when the same agent connects once more. They ask up to statsBurst times at once:
	// when a capture begins, and again before they end it.
	statsPause = time.Second
	statsBurst = 4
)

// budget is the CPU time that a session may spend on requests: a token bucket, in
// which a session may run into debt by one request. The zero value is full.
type budget struct {
	spent time.Duration // not given back yet; above requestBurst is debt
	at    time.Time
}

// charge takes the cost of a request out.
func (b *budget) charge(cost time.Duration, share float64, now time.Time) {
	b.giveBack(share, now)
	b.spent += cost
}

// debt is how long it takes until the next request may be answered, at most requestWait.
func (b *budget) debt(share float64, now time.Time) time.Duration {
	b.giveBack(share, now)
	if b.spent <= requestBurst {
		return 0
	}
	return min(time.Duration(float64(b.spent-requestBurst)/share), requestWait)
}

func (b *budget) giveBack(share float64, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.spent = max(0, b.spent-time.Duration(float64(d)*share))
	}
	b.at = now
}

// requestShare is what one session may take: sessions do not wait for each other, so they
// share evenly.
func (s *Supervisor) requestShare() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return requestShare / float64(max(1, len(s.sessions)))
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

// prompt reports whether a request does not wait. The end of a running capture costs less than going on, and only the
// next STARTCAP makes another one possible. What sensors ask a capture regularly costs next to nothing.
func (c *connection) prompt(t rpcap.Type, now time.Time) bool {
	switch {
	case c.parting || c.session.agent.unmetered:
		return true
	case !c.capture.running():
		return false
	case t == rpcap.TypeStatsRequest && now.Sub(c.statsAt) >= statsPause:
		if full := now.Add(-statsBurst * statsPause); c.statsAt.Before(full) {
			c.statsAt = full
		}
		c.statsAt = c.statsAt.Add(statsPause)
		return true
	}
	return t == rpcap.TypeEndCaptureRequest
}

// answer handles a request when the session's budget allows it, and charges what it has cost.
func (c *connection) answer(ctx context.Context, t rpcap.Type, handle func() error) error {
	x, share := c.session, c.session.agent.requestShare()
	if d := x.budget.debt(share, time.Now()); d > 0 && !c.prompt(t, time.Now()) {
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	runtime.LockOSThread()
	last, before := c.capture, threadCPU()
	err := handle()
	measured := threadCPU() - before
	runtime.UnlockOSThread()
	ringBytes := 0
	if c.capture != nil && c.capture != last && x.agent.ifaces.file == "" {
		ringBytes = x.agent.policy.Load().RingBytes
	}
	x.budget.charge(requestCost(measured, ringBytes), share, time.Now())
	return err
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
