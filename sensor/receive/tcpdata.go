package receive

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/status"
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
)

// connected reports whether a connection from the agent's address is there.
func (t *tcpData) connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns) > 0
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

// tcpConn is a connection that may be the agent's data connection. It is guarded by tcpData.mu.
type tcpConn struct {
	conn    net.Conn
	src     netip.AddrPort
	dropped bool
	held    [][]byte // messages, while it is not the active one
	bytes   int      // in held
	count   int      // messages read
	last    uint32   // number of the last frame
	marked  uint32   // last when the agent was asked for STATS
}
