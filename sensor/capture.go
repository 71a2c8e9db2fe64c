package sensor

import (
	"sync"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// capture is what a session has between STARTCAP and its end: the stream and the place where its data comes in.
type capture struct {
	stream *stream
	guard  *sync.Mutex // guards stream: the dataPort's or the tcpData's
	port   *dataPort   // nil for TCP
	tcp    *tcpData    // nil for UDP

	ours bool // the agent has told its data port, as only those of this project do; the session's goroutine's

	mu     sync.Mutex // a leaf; guards what follows
	sum    sink.Forwarded
	last   rpcap.StatsReply
	lastAt time.Time // of last
}

// newCapture opens what the data of rule r goes to and attaches the sinks.
func (s *session) newCapture(r *rule.Rule) (*capture, error) {
	src := sink.Source{
		Host: s.host, Agent: s.peer.Addr(), Interface: s.chosen.Name, Description: s.chosen.Description,
		LinkType: s.linkType, Snaplen: s.snaplen(), Filter: r.Filter, Rule: r.Name,
	}
	c := &capture{}
	if err := s.sensor.hub.Join(c, func() error {
		limits, dedup := s.sensor.streamSettings()
		c.stream = newStream(src, limits)
		c.stream.dedup, c.stream.number = dedup, dedup.stream()
		c.stream.overTCP, c.stream.hub = r.TCP, s.sensor.hub
		return s.openData(c)
	}); err != nil {
		return nil, err
	}
	return c, nil
}

// openData opens what the frames of a capture go to. The sinks get to know the stream only when it has a port.
func (s *session) openData(c *capture) error {
	attach := func() { c.stream.feeds = c.stream.hub.Attach(c.stream.source, sink.Forwarded{}) }
	if c.stream.overTCP {
		t, err := listenTCPData(&s.sensor.opts, c.stream, s.log)
		if err != nil {
			return err
		}
		attach()
		t.start()
		c.tcp, c.guard = t, &t.mu
		return nil
	}
	c.stream.path.state = pathUnanswered
	port, err := s.sensor.ports.allocate(c.stream, attach)
	if err != nil {
		return err
	}
	c.port, c.guard = port, &port.mu
	foreign := c.foreign()
	port.with(func() { c.stream.account.foreign = foreign })
	return nil
}

// Follow implements sink.Follower.
func (c *capture) Follow() {
	now := c.forwarded()
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.follow(now)
}

// number is the port that STARTCAP names.
func (c *capture) number() uint16 {
	if c.tcp != nil {
		return c.tcp.port
	}
	return c.port.port
}

// ended is closed when the data connection has ended; it is nil for UDP.
func (c *capture) ended() <-chan struct{} {
	if c.tcp != nil {
		return c.tcp.done
	}
	return nil
}

// setCapture makes c, or none, the session's capture.
func (s *session) setCapture(c *capture) {
	s.capture = c
	s.captured = s.captured || c != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = c
}

// endCapture takes what is still on its way, up to frame number captured if that is known and at most for lingerTime,
// and finishes the stream.
func (s *session) endCapture(tail status.Tail, captured uint32) {
	c := s.capture
	if c == nil {
		return
	}
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
		if r, ok := c.lastReport(); ok {
			captured = r.Captured
		}
	}
	c.stream.finish(tail, captured, c.forwarded())
	c.guard.Unlock()
	c.stream.hub.Leave(c)
	if c.port != nil {
		s.sensor.ports.release(c.port, c.stream)
	}
	st := s.snapshot()
	st.State = status.StateEnded
	s.sensor.telling.Lock() // nobody sees it twice, or not at all
	s.sensor.history.Add(st)
	s.setCapture(nil)
	s.sensor.telling.Unlock()
	s.mu.Lock()
	s.status.DataPort = 0
	s.mu.Unlock()
}

// refilter gives every sink a new feed, whose source has the filter that holds from now on. The numbers of the agent so
// far go to the old one.
func (c *capture) refilter(h *sink.Hub, filter string) {
	now := c.forwarded()
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.refilter(h, filter, now)
}

// fill adds the capture's counters to a status.
func (c *capture) fill(st *status.Peer) {
	st.DataPort = c.number()
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

// asked notes what has come before the agent is asked for STATS.
func (c *capture) asked() {
	if c.tcp != nil {
		c.tcp.asked()
		return
	}
	c.port.with(func() { c.port.asked(c.stream) })
}

// judge compares what has come with the agent's answer.
func (c *capture) judge(captured uint32) {
	if c.tcp != nil {
		c.tcp.judge(captured)
		return
	}
	c.port.with(func() { c.port.judge(c.stream, captured, time.Now()) })
}

// roundTrip takes how long the agent took for an answer.
func (c *capture) roundTrip(d time.Duration) {
	c.guard.Lock()
	defer c.guard.Unlock()
	c.stream.clock.roundTrip(d)
}

// names takes the port that the agent says it sends from, 0 if it does not say; translated tells that a NAT may have
// changed it.
func (c *capture) names(port uint16, translated bool) {
	c.ours = port != 0
	if c.tcp != nil {
		c.tcp.announced(port, translated)
		return
	}
	c.port.with(func() { c.port.names(c.stream, port, translated, time.Now()) })
}

// contested reports whether somebody else at the agent's address may be the agent, so that its STATS are wanted soon, and at
// what distance.
func (c *capture) contested() (every time.Duration, yes bool) {
	if c.tcp != nil {
		return contestInterval, c.tcp.contested()
	}
	c.port.with(func() { every, yes = c.port.contested(c.stream, time.Now()) })
	return every, yes
}

func (c *capture) forwarded() sink.Forwarded {
	sum, _ := c.forwardedAt()
	return sum
}

// forwardedAt is what the agent has said, and when.
func (c *capture) forwardedAt() (sink.Forwarded, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum, c.lastAt
}

// reported adds an agent's STATS_REPLY to the sums. Its numbers are 32 bits and wrap; one that goes back (Windows agents
// after a reset) begins anew.
func (c *capture) reported(r rpcap.StatsReply) {
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

// lastReport is the last STATS_REPLY; ok is false if there was none.
func (c *capture) lastReport() (r rpcap.StatsReply, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last, c.sum.Known
}
