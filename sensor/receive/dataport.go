package receive

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/oncelog"
	"rpcapd/sensor/status"
)

const (
	// endedFor is how long the source port of an ended stream stays known after its last datagram, so that what an
	// abandoned capture still sends is not taken for the beginning of a new one.
	endedFor = time.Minute
	// maxEnded bounds that memory per port.
	maxEnded = 1024
	// lingerTime is how long datagrams are taken after the end of a capture.
	lingerTime = time.Second
)

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

	calls                 *testCalls // whose probes are sent back; nil: nobody's
	echoed, refusedProbes uint64

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
	st.ProbesEchoed, st.ProbesRefused = p.echoed, p.refusedProbes
	return st
}
