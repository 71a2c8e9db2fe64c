package receive

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"rpcapd/sensor/address"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// errUDPStrOverTCP is what ExtraHop's agent does with a TCP data connection unless it is started with -t 0.
var errUDPStrOverTCP = status.Caused(status.CauseProtocol, "the agent sends udpstr blocks over TCP, which have no framing and are not supported; "+
	"start it with -t 0, or use UDP")

// tcpData is a listener for one TCP data connection. The agent opens that before it replies to STARTCAP, but anybody at its
// address may have been quicker. So connections wait, unbelieved, until it is known which is the agent's:
//
//	STARTCAP not answered    everything that comes is held
//	our agent                the connection from the port that it has said; the others are closed
//	agents of other makes    the first one that sends frames, until STATS agree with it or with another one;
//	                         the frames of one that was wrong are disowned
//
// What is held is at most maxHeldOfConn of each, so that none takes the room of another; beyond that a connection is not read,
// and its sender waits. The listener stays
// until the end, so that nobody can take the agent's place by being first.
type tcpData struct {
	listener *net.TCPListener
	port     uint16
	log      *zap.Logger
	done     chan struct{} // closed when no more frames can come; err is set before
	err      error
	wg       sync.WaitGroup

	mu      sync.Mutex // guards the stream and all that follows
	stream  *stream
	changed *sync.Cond // a connection may be read, or has been closed
	conns   []*tcpConn // in the order of their coming
	active  *tcpConn   // whose frames go to the stream
	leading *tcpConn   // who agreed best with the last STATS, and with how many frames captured then
	led     uint32
	known   bool
	source  uint16 // that the agent has said; 0: none, or a NAT may have changed it
	decided bool   // the active one is the agent's, for good
	ended   bool   // done is closed
	closed  bool
	quit    chan struct{} // closed with it
	spoiled []*tcpConn    // could not be read; what comes is thrown away
	last    error         // why the last connection has ended
}

const (
	// maxTCPConns bounds the connections that are not believed yet. More wait in the listener's queue.
	maxTCPConns = 16
	// maxHeldOfConn bounds what is held of each, in bytes: 8 MiB of all together.
	maxHeldOfConn = 8 << 20 / maxTCPConns
	// tcpGrace is how long the agent's connection may take to show itself once STARTCAP is answered.
	tcpGrace = time.Second
	// dataAcceptPause is the pause after an accept that failed, for want of descriptors mostly.
	dataAcceptPause = 100 * time.Millisecond
)

// listenTCPData listens on a port of the data range that is free for TCP.
func listenTCPData(o *Config, s *stream, log *zap.Logger) (*tcpData, error) {
	addr := o.Listen
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	var last error
	for i := range o.Data.Count {
		number := o.Data.First
		if number != 0 {
			number += uint16(i)
		}
		l, err := address.ListenTCP(netip.AddrPortFrom(addr, number))
		if err != nil {
			last = err
			continue
		}
		t := &tcpData{
			listener: l, port: address.OfTCP(l.Addr()).Port(), log: log, done: make(chan struct{}), quit: make(chan struct{}), stream: s,
		}
		t.changed = sync.NewCond(&t.mu)
		return t, nil
	}
	return nil, status.Caused(status.CauseTooMany, "no TCP port of the data range is free: %w", last)
}

// start begins to accept and read.
func (t *tcpData) start() { t.wg.Go(t.accept) }

// connected reports whether a connection from the agent's address is there.
func (t *tcpData) connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns) > 0
}

// close ends everything and waits for it.
func (t *tcpData) close() {
	_ = t.listener.Close() // accept ends
	t.mu.Lock()
	if !t.closed {
		close(t.quit)
	}
	t.closed = true
	for _, c := range append(t.conns, t.spoiled...) {
		_ = c.conn.Close()
	}
	t.changed.Broadcast()
	t.mu.Unlock()
	t.wg.Wait()
}

// accept takes connections until the listener is closed.
func (t *tcpData) accept() {
	for {
		conn, err := t.listener.Accept()
		switch {
		case err == nil:
			t.admit(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			t.log.Debug("cannot accept a data connection", zap.Error(err))
			time.Sleep(dataAcceptPause)
		}
	}
}

// admit takes a connection in, once there is room, and begins to read it.
func (t *tcpData) admit(conn net.Conn) {
	c := &tcpConn{conn: conn, src: address.OfTCP(conn.RemoteAddr())}
	t.mu.Lock()
	defer t.mu.Unlock()
	stranger := c.src.Addr() != t.stream.agent
	for !stranger && len(t.conns) >= maxTCPConns && !t.decided && !t.closed {
		if t.source != 0 {
			t.drop(t.conns[0]) // not the agent's: that would have been decided
			continue
		}
		t.changed.Wait()
	}
	if stranger || t.decided || t.closed {
		_ = conn.Close()
		return
	}
	t.conns = append(t.conns, c)
	if t.source != 0 && c.src.Port() == t.source {
		t.decide(c)
	}
	t.wg.Go(func() { t.left(c, t.read(c)) })
}

// announced takes the port that the agent says it has dialled from; 0 if it has not said. translated tells that a NAT may have
// changed it.
func (t *tcpData) announced(port uint16, translated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known = true
	if !translated {
		t.source = port
	}
	for _, c := range t.conns {
		if t.source != 0 && c.src.Port() == t.source {
			t.decide(c)
			return
		}
	}
	t.changed.Broadcast() // accept may wait
	if t.source == 0 {
		t.begin()
	}
	t.wg.Go(t.grace)
}

// grace ends the stream of an agent whose connection does not show itself, or lets STATS decide when its port has been
// changed after all.
func (t *tcpData) grace() {
	timer := time.NewTimer(tcpGrace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.quit:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.source != 0 && !t.decided {
		t.source = 0
		t.begin()
	}
	if len(t.conns) == 0 {
		t.end(t.last)
	}
}

// begin makes the first connection that has sent something the active one, unless there is one. mu is held.
func (t *tcpData) begin() {
	for _, c := range t.conns {
		if t.active == nil && c.count > 0 {
			t.activate(c)
		}
	}
}

// decide makes a connection the agent's for good. mu is held.
func (t *tcpData) decide(c *tcpConn) {
	if c != t.active {
		t.activate(c)
	}
	t.decided = true
	for _, other := range slices.Clone(t.conns) {
		if other != c {
			t.drop(other)
		}
	}
	t.changed.Broadcast()
}

// activate gives the stream to a connection. What came from another one was not the agent's. mu is held.
func (t *tcpData) activate(c *tcpConn) {
	if wrong := t.active; wrong != nil {
		frames := t.stream.arrived().Frames
		t.stream.refusePath()
		t.stream.path.forger = wrong.src
		t.drop(wrong)
		t.log.Warn("another sender at the agent's address was taken for the agent; its frames have gone to the outputs",
			zap.String("peer", t.stream.source.Shown()), zap.Uint16("port", t.port), zap.Stringer("sender", wrong.src),
			zap.Stringer("agent", c.src), zap.Uint64("frames", frames))
	}
	t.active = c
	t.stream.path.sources = []netip.AddrPort{c.src}
	t.stream.begin(formatPlain)
	now := time.Now()
	for _, b := range c.held {
		t.stream.message(b, now)
	}
	t.release(c)
	t.changed.Broadcast()
}

// drop closes a connection that is not the agent's. mu is held.
func (t *tcpData) drop(c *tcpConn) {
	c.dropped = true
	_ = c.conn.Close()
	t.release(c)
	t.conns = slices.DeleteFunc(t.conns, func(o *tcpConn) bool { return o == c })
	if t.active == c {
		t.active = nil
	}
	t.changed.Broadcast()
}

// release gives up what is held of a connection. mu is held.
func (t *tcpData) release(c *tcpConn) {
	c.held, c.bytes = nil, 0
}

// left handles the end of a connection. That of the agent ends the stream, and nobody else's: while it is open who that is,
// the stream ends when no connection is left for a while.
func (t *tcpData) left(c *tcpConn, err error) {
	defer c.conn.Close()
	switch t.leave(c, err) {
	case leftBroken:
		// Closing would kill ExtraHop's agent, which has yet to get ENDCAP.
		_, _ = io.Copy(io.Discard, c.conn)
	case leftOpen:
		t.grace()
	}
}

// leaving is what is left to do for a connection that has ended.
type leaving uint8

const (
	leftDone   leaving = iota
	leftBroken         // it goes on in a form that cannot be read
	leftOpen           // the agent may come yet
)

func (t *tcpData) leave(c *tcpConn, err error) leaving {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || c.dropped {
		return leftDone
	}
	t.last = err
	spoiled := !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed)
	if t.decided || t.active == c && len(t.conns) == 1 {
		t.end(err)
	} else {
		if t.active == c {
			t.stream.refusePath() // others wait: it was none of the agent's
			t.active = nil
		}
		t.conns = slices.DeleteFunc(t.conns, func(o *tcpConn) bool { return o == c })
		t.release(c)
		t.changed.Broadcast()
		if t.known && t.source == 0 {
			t.begin()
		}
		if spoiled && len(t.spoiled) < maxTCPConns {
			t.spoiled = append(t.spoiled, c)
			if t.known {
				t.wg.Go(t.grace)
			}
			return leftBroken
		}
		if t.known {
			return leftOpen
		}
		return leftDone
	}
	if spoiled {
		return leftBroken
	}
	return leftDone
}

// end tells the session. mu is held.
func (t *tcpData) end(err error) {
	if t.ended {
		return
	}
	if err == nil {
		err = errors.New("the agent's connection has not come")
	}
	t.ended, t.err = true, err
	close(t.done)
}
