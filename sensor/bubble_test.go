package sensor

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// bubble is a sensor in virtual time: connections are pipes, data ports are fakes. It is used inside synctest.Test.
type bubble struct {
	*Sensor
	t      *testing.T
	ports  *fakePorts
	sink   *countingSink
	ctx    context.Context
	cancel context.CancelFunc
	agents []*testAgent
}

func newBubble(t *testing.T, o Options) *bubble {
	t.Helper()
	b := &bubble{t: t, ports: &fakePorts{}, sink: &countingSink{}}
	if o.Rules == nil {
		o.Rules = []rule.Rule{{Name: "all"}}
	}
	if o.Data.First == 0 {
		o.Data = receive.DataPorts{First: 2003, Count: 4}
	}
	o.openPort, o.Sinks = b.ports.open, append([]sink.Sink{b.sink}, o.Sinks...)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.begin(map[uint16]*listener{}, func(*listener) {})
	b.Sensor = s
	b.ctx, b.cancel = context.WithCancel(t.Context())
	return b
}

// connect lets an agent connect from an address; prepare scripts it before it serves.
func (b *bubble) connect(addr string, prepare func(*testAgent)) *testAgent {
	mine, theirs := net.Pipe()
	a := newTestAgent(b.t, mine)
	if prepare != nil {
		prepare(a)
	}
	go a.serve()
	b.agents = append(b.agents, a)
	remote := netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(40000+len(b.agents)))
	b.accept(b.ctx, addressed{theirs, net.TCPAddrFromAddrPort(remote)}, b.rules.Ports[0])
	synctest.Wait()
	return a
}

// stop ends the sensor as Run does.
func (b *bubble) stop() {
	b.cancel()
	b.stopAccepting()
	b.held.close()
	b.wg.Wait()
	b.receiver.Close()
	for _, a := range b.agents {
		a.conn.Close()
		<-a.done
	}
	synctest.Wait()
}

// peer is the only status.
func (b *bubble) peer() status.Peer {
	b.t.Helper()
	p := b.Peers()
	if len(p) != 1 {
		b.t.Fatalf("%d peers: %+v", len(p), p)
	}
	return p[0]
}

// feed hands datagrams to a data port and waits until they are worked through.
func (b *bubble) feed(port uint16, src string, payloads ...[]byte) {
	batch := make([]fakeDatagram, len(payloads))
	for i, p := range payloads {
		batch[i] = fakeDatagram{netip.MustParseAddrPort(src), p}
	}
	b.ports.get(port).in <- batch
	synctest.Wait()
}

// addressed is a pipe that looks like TCP.
type addressed struct {
	net.Conn
	remote net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.remote }
func (a addressed) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.1:2003"))
}

// countingSink counts frames by source name.
type countingSink struct {
	mu     sync.Mutex
	frames map[string]int
	sums   map[string]sink.Forwarded
}

func (s *countingSink) Name() string { return "counter" }
func (s *countingSink) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
func (s *countingSink) Attach(src sink.Source) sink.Feed { return &countingFeed{s, src.Name(), 0} }

type countingFeed struct {
	s    *countingSink
	name string
	n    uint64
}

func (f *countingFeed) Frame(*udpstr.Packet) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.s.frames == nil {
		f.s.frames = make(map[string]int)
	}
	f.s.frames[f.name]++
	f.n++
}
func (f *countingFeed) Counters() sink.Counters { return sink.Counters{Written: f.n} }
func (f *countingFeed) Detach(sum sink.Forwarded) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.s.sums == nil {
		f.s.sums = make(map[string]sink.Forwarded)
	}
	f.s.sums[f.name] = sum
}

// after lets virtual time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
