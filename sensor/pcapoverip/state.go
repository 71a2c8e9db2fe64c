package pcapoverip

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/repeat"
	"rpcapd/sensor/sink"
	"rpcapd/tlsfiles"
)

// client is one connection, from accept (or the end of the TLS handshake) to the end; or one that was dialed.
type client struct {
	sink        *Sink
	log         *zap.Logger
	conn        *pacedConn
	address     netip.AddrPort
	certificate string // subject of the client's certificate
	since       time.Time

	announced atomic.Bool // the log knows of it

	mu        sync.Mutex // a leaf; guards all below
	selection string     // in the words of a request; empty: everything
	delivery  *delivery  // nil: its request is read or compiled
}

// delivery writes the backlog to one connection. One goroutine uses it; the counters may be read by any.
type delivery struct {
	sink     *Sink
	conn     *pacedConn
	selector *sink.Selector // nil: everything
	reader   *reader
	begin    time.Time
	sent     sentCounters

	headed    bool
	known     int           // interfaces of the sink that were looked at
	ids       []int64       // this stream's number of each, -1: not wanted
	entries   []*ifaceEntry // by this stream's number
	delivered []uint64      // likewise, frames
	buf       []byte
}

// sentCounters are numbers of frames, and the bytes in those that were sent.
type sentCounters struct{ frames, bytes, leftOut, failed atomic.Uint64 }

// Sink gives frames to clients over TCP. It implements sink.Sink.
type Sink struct {
	opts     Options
	log      *zap.Logger
	listener net.Listener     // nil: dialed out
	tls      *tlsfiles.Config // nil: plain
	backlog  backlog
	ended    bool // Run has returned; guarded by backlog.mu
	refusals repeat.Memory
	looks    repeat.Memory // of those who only look whether the port is open

	mu      sync.Mutex // a leaf; guards all below
	clients map[*client]struct{}
	pending []net.Conn // in a handshake, oldest first
	served  uint64     // clients that came, or connections dialed
	refused uint64
	probes  uint64         // clients that have left at once, without having asked for or got anything
	past    clientCounters // of clients that have left
	peer    bool           // Connect: connected
	since   time.Time      // of the state
	lastErr string
	lastAt  time.Time
}

// clientCounters are those of one client or of several.
type clientCounters struct {
	sink.Counters
	bytes uint64 // written to the connection, before TLS
}
