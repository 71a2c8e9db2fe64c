package sensor

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/sensor/tcpdump"
	"rpcapd/udpstr"
)

// bubble is a sensor in virtual time: connections are pipes, data ports are fakes. It is used inside synctest.Test.
type bubble struct {
	*Sensor
	t         *testing.T
	ports     *fakePorts
	listeners fakeListeners
	compiler  rule.Compiler // a test may put another one in its place
	sink      *countingSink
	ctx       context.Context
	cancel    context.CancelFunc
	served    chan struct{}
	agents    []*testAgent
}

func newBubble(t *testing.T, o Options) *bubble {
	t.Helper()
	b := &bubble{t: t, ports: &fakePorts{}, listeners: make(fakeListeners), compiler: o.compiler, sink: &countingSink{}, served: make(chan struct{})}
	if b.compiler == nil {
		b.compiler = tcpdump.NewCompiler()
	}
	if o.Rules == nil {
		o.Rules = []rule.Rule{{Name: "all"}}
	}
	if o.Data.First == 0 {
		o.Data = receive.DataPorts{First: 2003, Count: 4}
	}
	o.openPort, o.openListener, o.compiler = b.ports.open, b.listeners.open, compilerOf{b}
	o.Sinks = append([]sink.Sink{b.sink}, o.Sinks...)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Sensor = s
	b.ctx, b.cancel = context.WithCancel(t.Context())
	if err := s.control.Listen(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.served)
		s.control.Serve(b.ctx)
	}()
	<-s.Ready()
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
	a.addr = netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(40000+len(b.agents)))
	b.listeners[b.Addrs()[0].Port()].in <- addressed{theirs, net.TCPAddrFromAddrPort(a.addr)}
	synctest.Wait()
	return a
}

// stop ends the sensor as Run does.
func (b *bubble) stop() {
	b.cancel()
	<-b.served
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

// live is the number of sessions.
func (s *Sensor) live() int {
	c := s.Counters()
	return int(c.Accepted - c.Refused - c.Ended)
}

// fakeListeners are TCP ports in virtual time.
type fakeListeners map[uint16]*fakeListener

func (l fakeListeners) open(a netip.AddrPort) (net.Listener, error) {
	f := &fakeListener{addr: a, in: make(chan net.Conn), closed: make(chan struct{})}
	l[a.Port()] = f
	return f, nil
}

type fakeListener struct {
	addr   netip.AddrPort
	in     chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (f *fakeListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(f.addr) }

func (f *fakeListener) Accept() (net.Conn, error) {
	select {
	case c := <-f.in:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *fakeListener) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

// compilerOf is the compiler that a bubble has now.
type compilerOf struct{ b *bubble }

func (c compilerOf) Check(ctx context.Context, expression string) error {
	return c.b.compiler.Check(ctx, expression)
}

func (c compilerOf) CompileFor(ctx context.Context, expression string, linkType uint32, device string) (rpcap.Program, error) {
	return c.b.compiler.CompileFor(ctx, expression, linkType, device)
}

func (c compilerOf) ForgetRefusals() { c.b.compiler.ForgetRefusals() }

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
