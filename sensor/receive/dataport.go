package receive

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"rpcapd/sensor/address"
	"rpcapd/sensor/oncelog"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

const (
	// endedFor is how long the source port of an ended stream stays known after its last datagram, so that what an
	// abandoned capture still sends is not taken for the beginning of a new one.
	endedFor = time.Minute
	// maxEnded bounds that memory per port.
	maxEnded = 1024
)

// Socket is a bound UDP socket that receives in batches.
type Socket interface {
	// Receive waits for datagrams until the deadline (zero: for ever) and returns how many there are.
	Receive(deadline time.Time) (int, error)
	// Datagram returns one of them, valid until the next Receive.
	Datagram(i int) (netip.AddrPort, []byte)
	// Port is the local port.
	Port() uint16
	// KernelDrops counts datagrams the kernel dropped for want of buffer space.
	KernelDrops() uint64
	// Close makes Receive return net.ErrClosed.
	Close() error
}

// runSocket is a Socket that can hand out together what receive offload has joined.
type runSocket interface {
	// Run returns n datagrams from i on, of one source: each has size bytes, the last may have fewer. They may be changed.
	Run(i int) (src netip.AddrPort, run []byte, size, n int)
}

// separator is a datagramSource that can keep out, before they take room in the receive buffer, what comes from addresses
// that nobody expects.
type separator interface {
	// Separate replaces the addresses expected. On an error everything is received.
	Separate(expected []netip.Addr) error
	// Strangers counts what was kept out.
	Strangers() uint64
	// Stranger is who has sent some of it lately; the zero address without one.
	Stranger() netip.Addr
}

// dataPort is one UDP port of the range with the streams that come in on it. run is its only reader.
type dataPort struct {
	sock Socket
	runs runSocket // sock; nil if it has none
	port uint16
	log  *zap.Logger

	mu       sync.Mutex // held while a batch is worked through; after it only a sink's lock may be taken
	streams  map[*stream]struct{}
	bySrc    map[netip.AddrPort]*stream
	pending  map[netip.Addr]*stream       // awaits its first datagram; at most one per address
	ended    map[netip.AddrPort]time.Time // last heard, of sources whose stream has ended
	timed    []*stream                    // hold datagrams back, so that Expire is due some time
	expected map[netip.AddrPort]*stream   // by the port that the agent has named, until it sends
	foreign  uint64
	repeats  oncelog.Log

	candidates candidates
}

// newDataPort makes a port; budget is what all ports may hold of candidates.
func newDataPort(sock Socket, budget *heldBudget, log *zap.Logger) *dataPort {
	p := &dataPort{
		sock: sock, port: sock.Port(), log: log,
		expected: make(map[netip.AddrPort]*stream),
		streams:  make(map[*stream]struct{}),
		bySrc:    make(map[netip.AddrPort]*stream),
		pending:  make(map[netip.Addr]*stream),
		ended:    make(map[netip.AddrPort]time.Time),
	}
	p.runs, _ = sock.(runSocket)
	p.candidates = candidates{of: make(map[netip.AddrPort]*candidate), budget: budget, foreign: &p.foreign}
	return p
}

// run receives until the socket is closed.
func (p *dataPort) run() {
	var deadline time.Time
	failures := 0
	for {
		n, err := p.sock.Receive(deadline)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
			failures = 0
		default:
			failures++
			p.repeats.Once(p.log, err.Error(), zap.WarnLevel, "data port cannot receive", zap.Uint16("port", p.port), zap.Error(err))
			time.Sleep(min(time.Duration(failures)*time.Millisecond, time.Second)) // an error that repeats must not spin
		}
		deadline = p.batch(n, time.Now())
		// On one CPU a full receive buffer would be read in one go, and the queues of the sinks run over before those who
		// empty them get their turn.
		runtime.Gosched()
	}
}

// batch works through n datagrams and returns when the next one held back is due.
func (p *dataPort) batch(n int, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var last *stream
	var lastSrc netip.AddrPort
	for i := 0; i < n; i++ {
		if k := p.together(i, now); k > 0 {
			i += k - 1
			continue
		}
		src, b := p.sock.Datagram(i)
		if last == nil || src != lastSrc {
			var held bool
			if last, held = p.find(src, b, now); held {
				continue
			}
			lastSrc = src
		}
		if last == nil {
			p.foreign++
			continue
		}
		if !last.path.state.settled() {
			p.second(last, b)
		}
		last.datagram(b, now)
		p.time(last)
	}
	return p.expire(now)
}

// together takes the datagrams from i on that receive offload has joined, if they belong to a stream of which nothing is to be
// found out. It returns how many these are; with 0 they are looked at one by one.
func (p *dataPort) together(i int, now time.Time) int {
	if p.runs == nil {
		return 0
	}
	src, run, size, n := p.runs.Run(i)
	if n < 2 {
		return 0
	}
	s := p.bySrc[src]
	if s == nil || !s.takesRuns() {
		return 0
	}
	s.run(run, size, n, now)
	p.time(s)
	return n
}

// time puts the stream on the list of those that Expire is due for.
func (p *dataPort) time(s *stream) {
	if s.timed {
		return
	}
	if _, ok := s.deadline(); ok {
		s.timed = true
		p.timed = append(p.timed, s)
	}
}

// expire gives up waiting where it is time and returns the earliest deadline left. Candidates come first: what is held
// of one makes the stream wait that it becomes the path of.
func (p *dataPort) expire(now time.Time) (next time.Time) {
	if len(p.candidates.of) > 0 {
		next = p.settle(now)
	}
	keep := p.timed[:0]
	for _, s := range p.timed {
		if _, ok := s.deadline(); ok {
			s.expire(now)
		}
		d, ok := s.deadline()
		if !ok { // or the stream is finished
			s.timed = false
			continue
		}
		keep = append(keep, s)
		if next.IsZero() || d.Before(next) {
			next = d
		}
	}
	clear(p.timed[len(keep):])
	p.timed = keep
	return next
}

// find returns the stream a datagram belongs to, that of a known source or what unknown finds; nil if it is foreign. held is
// set, with nil, if that is not decided yet.
func (p *dataPort) find(src netip.AddrPort, b []byte, now time.Time) (s *stream, held bool) {
	src = netip.AddrPortFrom(address.Plain(src.Addr()), src.Port())
	if s := p.bySrc[src]; s != nil {
		return s, false
	}
	return p.unknown(src, b, now)
}

// add registers a stream that awaits its first datagram. The caller has made sure that no other of that address does.
func (p *dataPort) add(s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[s] = struct{}{}
	p.pending[s.agent] = s
}

// remove forgets a finished stream but for its sources.
func (p *dataPort) remove(s *stream, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, s)
	delete(p.expected, s.path.named)
	if p.pending[s.agent] == s {
		delete(p.pending, s.agent)
	}
	p.prune(now)
	for _, src := range s.path.sources {
		delete(p.bySrc, src)
		if len(p.ended) < maxEnded {
			p.ended[src] = now
		}
	}
}

func (p *dataPort) prune(now time.Time) {
	for src, heard := range p.ended {
		if now.Sub(heard) > endedFor {
			delete(p.ended, src)
		}
	}
}

// awaits reports whether a stream of that address awaits its first datagram here.
func (p *dataPort) awaits(addr netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending[addr] != nil
}

// with runs f while no datagram is worked on; it is how a session reads and finishes its stream.
func (p *dataPort) with(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// expect keeps out all but these addresses, where the system can. Elsewhere, or when there are too many, find does, after
// what strangers send has been through the receive buffer.
func (p *dataPort) expect(addrs map[netip.Addr]int) error {
	k, ok := p.sock.(separator)
	if !ok {
		return nil
	}
	return k.Separate(slices.Collect(maps.Keys(addrs)))
}

func (p *dataPort) status() status.Port {
	st := status.Port{Port: p.port, KernelDrops: p.sock.KernelDrops()}
	setGranted(&st, p.sock)
	if k, ok := p.sock.(separator); ok {
		st.Foreign = k.Strangers()
		st.Stranger = k.Stranger()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	st.Streams = len(p.streams)
	st.Foreign += p.foreign
	return st
}
