package receive

import (
	"sync"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// Capture is what a session has between STARTCAP and its end: the stream and the place where its data comes in.
type Capture struct {
	receiver *Receiver
	stream   *stream
	guard    *sync.Mutex // guards stream: the dataPort's or the tcpData's
	port     *dataPort   // nil for TCP
	tcp      *tcpData    // nil for UDP

	ours bool // the agent has told its data port, as only those of this project do; the session's goroutine's

	mu     sync.Mutex // a leaf; guards what follows
	sum    sink.Forwarded
	last   rpcap.StatsReply
	lastAt time.Time // of last
}

// Follow implements sink.Follower.
func (c *Capture) Follow() {
	now := c.forwarded()
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.follow(now)
}

// Source is what the sinks know of the stream.
func (c *Capture) Source() sink.Source { return c.stream.source }

// Shown is the name of the stream, fit for a log.
func (c *Capture) Shown() string { return c.stream.source.Shown() }

// OwnPorts are those whose traffic the agent must not capture: all data ports, and the one of the capture.
func (c *Capture) OwnPorts() []uint16 { return c.receiver.config.Data.with(c.Port()) }

// StatsWanted receives when the stream may come from another port, which the agent's STATS tell.
func (c *Capture) StatsWanted() <-chan struct{} { return c.stream.path.ask }

// Connected reports whether a data connection (TCP) from the agent's address is there.
func (c *Capture) Connected() bool { return c.tcp != nil && c.tcp.connected() }

// Err is why the data connection (TCP) cannot be used any more, with its cause, once ended is closed.
func (c *Capture) Err() error {
	if status.CauseOf(c.tcp.err) == status.CauseOther {
		return status.Caused(status.CauseDataPort, "%w", c.tcp.err)
	}
	return c.tcp.err
}

// Port is the port that STARTCAP names.
func (c *Capture) Port() uint16 {
	if c.tcp != nil {
		return c.tcp.port
	}
	return c.port.port
}

// Ended is closed when the data connection has ended; it is nil for UDP.
func (c *Capture) Ended() <-chan struct{} {
	if c.tcp != nil {
		return c.tcp.done
	}
	return nil
}

// Refilter gives every sink a new feed, whose source has the filter that holds from now on. The numbers of the agent so
// far go to the old one.
func (c *Capture) Refilter(filter string) {
	now := c.forwarded()
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.refilter(filter, now)
}

// End takes what is still on its way, up to frame number captured if that is known and at most for lingerTime, and finishes
// the stream.
func (c *Capture) End(tail status.Tail, captured uint32) {
	if tail != status.TailUnknown {
		c.guard.Lock()
		c.stream.await(captured)
		c.guard.Unlock()
	}
	timer := time.NewTimer(lingerTime)
	defer timer.Stop()
	select {
	case <-c.stream.reached:
	case <-timer.C:
	}
	if c.tcp != nil {
		c.tcp.close()
	}
	c.guard.Lock()
	if c.port != nil {
		c.port.conclude(c.stream, time.Now())
	}
	if tail == status.TailUnknown { // what the agent said last is known at least
		captured = c.stream.highest()
		if r, ok := c.LastReport(); ok {
			captured = r.Captured
		}
	}
	c.stream.finish(tail, captured, c.forwarded())
	c.guard.Unlock()
	c.stream.hub.Leave(c)
	if c.port != nil {
		c.receiver.ports.release(c.port, c.stream)
	}
}

// Fill adds the capture's counters to a status.
func (c *Capture) Fill(st *status.Peer) {
	st.DataPort = c.Port()
	st.Forwarded, st.ForwardedAt = c.forwardedAt()
	c.guard.Lock()
	defer c.guard.Unlock()
	st.Format = c.stream.format.String()
	if n := len(c.stream.path.sources); n > 0 {
		st.DataSource = c.stream.path.sources[n-1]
	}
	st.Received = c.stream.received()
	st.Tail, st.TailLost = c.stream.tail, c.stream.tailLost
	st.Rebound = c.stream.path.rebound
	st.Deduplicated = c.stream.repeated
	st.Disowned, st.DisownedSource = c.stream.path.forged, c.stream.path.forger
	st.Unaccounted, st.UnaccountedSince = c.stream.account.frames, c.stream.account.since
	st.TCP = c.tcp != nil
	st.LastArrival, st.LargestDatagram = c.stream.now, c.stream.largest
	c.stream.clock.fill(st)
	by := c.stream.sinkCounters() // brings late up to date
	st.SetSinks(by, c.stream.late.Clone())
}

func (c *Capture) forwarded() sink.Forwarded {
	sum, _ := c.forwardedAt()
	return sum
}

// forwardedAt is what the agent has said, and when.
func (c *Capture) forwardedAt() (sink.Forwarded, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum, c.lastAt
}

// reported adds an agent's STATS_REPLY to the sums. Its numbers are 32 bits and wrap; one that goes back (Windows agents
// after a reset) begins anew.
func (c *Capture) reported(r rpcap.StatsReply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastAt = time.Now()
	advance := func(sum *uint64, now, last uint32) {
		if d := now - last; int32(d) >= 0 {
			*sum += uint64(d)
		}
	}
	if !c.sum.Known {
		c.sum = sink.Forwarded{
			Known: true, Received: uint64(r.IfRecv), InterfaceDropped: uint64(r.IfDrop),
			KernelDropped: uint64(r.KernelDrop), Captured: uint64(r.Captured),
		}
		c.last = r
		return
	}
	advance(&c.sum.Received, r.IfRecv, c.last.IfRecv)
	advance(&c.sum.InterfaceDropped, r.IfDrop, c.last.IfDrop)
	advance(&c.sum.KernelDropped, r.KernelDrop, c.last.KernelDrop)
	advance(&c.sum.Captured, r.Captured, c.last.Captured)
	c.last = r
}

// LastReport is the last STATS_REPLY; ok is false if there was none.
func (c *Capture) LastReport() (r rpcap.StatsReply, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last, c.sum.Known
}
