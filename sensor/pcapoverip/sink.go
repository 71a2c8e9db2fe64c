package pcapoverip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/savefile"
)

// drainTimeout bounds the writing of what is queued when the sensor stops, lingerTimeout the wait for the client's end
// of the connection after that. Together they are below what the sensor gives its sinks.
const (
	drainTimeout  = 2 * time.Second
	lingerTimeout = 500 * time.Millisecond
)

// Sink gives frames to clients over TCP. It implements sensor.Sink.
type Sink struct {
	opts     Options
	log      *zap.Logger
	listener net.Listener // nil: dialled out
	tls      *tlsFiles    // nil: plain
	backlog  backlog
	ended    bool // Run has returned; guarded by backlog.mu
	refusals quiet

	mu      sync.Mutex // a leaf; guards all below
	clients map[*client]struct{}
	pending []net.Conn // in a handshake, oldest first
	served  uint64     // clients that came, or connections dialled
	refused uint64
	past    clientCounters // of clients that have left
	peer    bool           // Connect: connected
	since   time.Time      // of the state
	lastErr string
	lastAt  time.Time
}

// New opens the listener, or checks what Connect needs, and reads the files of TLS. It starts nothing: clients wait
// until Run. Close gives up a sink that is never run.
func New(o Options) (*Sink, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Sink{
		opts: o, log: o.Log.Named("pcapoverip").With(zap.String("output", o.Name)),
		clients: make(map[*client]struct{}), since: time.Now(),
	}
	s.backlog.limit, s.backlog.readers = o.Buffer, make(map[*reader]struct{})
	s.backlog.oneType, s.backlog.linkType = o.Format == savefile.Pcap, -1
	if o.LinkType != nil {
		s.backlog.linkType = int64(*o.LinkType)
	}
	if o.TLS.Enabled {
		s.tls = &tlsFiles{TLS: o.TLS, log: s.log}
		if err := s.tls.load(); err != nil {
			return nil, fmt.Errorf("start %s: %w", o.Name, err)
		}
	}
	if o.Connect != "" {
		if _, _, err := net.SplitHostPort(o.Connect); err != nil {
			return nil, fmt.Errorf("start %s: read address of the listener: %w; write host:port", o.Name, err)
		}
		return s, nil
	}
	l, err := net.Listen("tcp", listenText(o.Listen))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	s.listener = l
	return s, nil
}

// listenText is the address as net.Listen takes it.
func listenText(a netip.AddrPort) string {
	if !a.Addr().IsValid() {
		return ":" + strconv.Itoa(int(a.Port()))
	}
	return a.String()
}

// Name implements sensor.Sink.
func (s *Sink) Name() string { return s.opts.Name }

// Addr is where clients connect; nil for one that dials out.
func (s *Sink) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Close gives up the listener. It is for a sink that is not run; it may be called at any time, several times.
func (s *Sink) Close() error {
	if s.listener == nil {
		return nil
	}
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close %s: %w", s.opts.Name, err)
	}
	return nil
}

// Run implements sensor.Sink. At the end clients get what is queued and the statistics, in at most drainTimeout.
func (s *Sink) Run(ctx context.Context) (err error) {
	if s.opts.Connect != "" {
		s.dialOut(ctx)
	} else {
		err = s.serve(ctx)
	}
	s.backlog.mu.Lock()
	s.ended = true
	s.backlog.mu.Unlock()
	return err
}

// quiet says which of many equal events are worth a line in the log: one in each ten seconds.
type quiet struct {
	mu      sync.Mutex // a leaf
	last    time.Time
	skipped int
}

// speak reports whether to log, and how many events were passed over since the last time.
func (q *quiet) speak() (skipped int, yes bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := time.Now(); q.last.IsZero() || now.Sub(q.last) >= 10*time.Second {
		skipped, q.skipped, q.last = q.skipped, 0, now
		return skipped, true
	}
	q.skipped++
	return 0, false
}
