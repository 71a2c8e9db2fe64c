package pcapoverip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/sensor/sink"
	"rpcapd/test/harness"
	"rpcapd/test/leak"
	"rpcapd/udpstr"
)

func TestMain(m *testing.M) { leak.Main(m) }

// waitLimit bounds every wait for what should come soon; none is expected to come near it.
const waitLimit = 40 * time.Second

// eventually polls until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain until %s", what)
}

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// running is a sink at work.
type running struct {
	*Sink
	t      *testing.T
	cancel context.CancelFunc
	result chan error
	once   sync.Once
	feeds  []sink.Feed
}

// start runs a sink until stop or the end of the test.
func start(t *testing.T, o Options) *running {
	t.Helper()
	if o.Connect == "" && !o.Listen.IsValid() {
		o.Listen = loopback
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Sink: s, t: t, cancel: cancel, result: make(chan error, 1)}
	go func() { r.result <- s.Run(ctx) }()
	t.Cleanup(func() { r.stop() })
	return r
}

// runInBackground runs a sink until the function that it returns is called.
func runInBackground(s *Sink) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		_ = s.Run(ctx)
		close(done)
	}()
	return func() { cancel(); <-done }
}

// stop ends the feeds and the sink, as the sensor does.
func (r *running) stop() {
	r.once.Do(func() {
		for _, f := range r.feeds {
			f.Detach(sink.Forwarded{Known: true, Received: 1000, KernelDropped: 3, Captured: 997})
		}
		begin := time.Now()
		r.cancel()
		if err := <-r.result; err != nil {
			r.t.Errorf("Run: %v", err)
		}
		if d := time.Since(begin); d > 20*time.Second && !harness.Race { // the 3 s that the sensor waits, and what a busy machine adds
			r.t.Errorf("Run took %v to end: the sensor waits for 3 s", d)
		}
	})
}

func (r *running) attach(host, iface string, linkType uint32) sink.Feed {
	f := r.Attach(source(host, iface, linkType))
	r.feeds = append(r.feeds, f)
	return f
}

func source(host, iface string, linkType uint32) sink.Source {
	return sink.Source{Host: host, Agent: netip.MustParseAddr("10.0.0.2"), Interface: iface, LinkType: linkType, Snaplen: 65535, Rule: "r"}
}

// address is where clients connect.
func (r *running) address() string { return r.Addr().String() }

// clients waits until so many clients get frames.
func (r *running) streaming(n int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d clients get frames", n), func() bool {
		r.backlog.mu.Lock()
		defer r.backlog.mu.Unlock()
		return len(r.backlog.readers) == n
	})
}

// ethernet is a UDP frame to a port, whose payload begins with a number; size is of the frame.
func ethernet(number uint32, port uint16, size int) *udpstr.Packet {
	b := make([]byte, max(size, 46))
	copy(b, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45})
	binary.BigEndian.PutUint16(b[16:], uint16(min(len(b)-14, 65535)))
	b[22], b[23] = 64, 17
	copy(b[26:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	binary.BigEndian.PutUint16(b[34:], 40000)
	binary.BigEndian.PutUint16(b[36:], port)
	binary.BigEndian.PutUint16(b[38:], uint16(min(len(b)-34, 65535)))
	binary.BigEndian.PutUint32(b[42:], number)
	for i := 46; i < len(b); i++ {
		b[i] = byte(i * int(number+1))
	}
	return &udpstr.Packet{
		Frame:  udpstr.Frame{Data: b, Len: uint32(len(b)) + number%3, Sec: 1_700_000_000 + number/1000, Usec: number % 1000 * 999},
		Number: uint64(number) + 1,
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// record is one frame that a client got.
type record struct {
	iface    string
	linkType uint32
	sec      int64
	usec     int
	length   int
	data     string
}

func recordOf(iface string, linkType uint32, p *udpstr.Packet) record {
	return record{iface, linkType, int64(p.Sec), int(p.Usec), int(p.Len), string(p.Data)}
}

// readNg reads a pcapng stream to its end.
func readNg(r io.Reader) ([]record, *pcapgo.NgReader, error) {
	ng, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		return nil, nil, err
	}
	var all []record
	for {
		data, ci, err := ng.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all, ng, nil
		}
		if err != nil {
			return all, ng, err
		}
		i, err := ng.Interface(ci.InterfaceIndex)
		if err != nil {
			return all, ng, err
		}
		all = append(all, record{i.Name, uint32(i.LinkType), ci.Timestamp.Unix(), ci.Timestamp.Nanosecond() / 1000, ci.Length, string(data)})
	}
}

// compare says where two lists of frames differ.
func compare(t *testing.T, who string, got, want []record) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d frames instead of %d", who, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s: frame %d is %.200v instead of %.200v", who, i, got[i], want[i])
			return
		}
	}
}

// result is what a client in the background has read.
type result struct {
	records []record
	ng      *pcapgo.NgReader
	err     error
}

// collect reads a connection to its end in the background.
func collect(c io.ReadCloser) <-chan result {
	ch := make(chan result, 1)
	go func() {
		all, ng, err := readNg(c)
		_ = c.Close()
		ch <- result{all, ng, err}
	}()
	return ch
}

// await is what collect has got.
func await(t *testing.T, who string, ch <-chan result) result {
	t.Helper()
	select {
	case r := <-ch:
		if r.err != nil {
			t.Errorf("%s: %v", who, r.err)
		}
		return r
	case <-time.After(waitLimit):
		t.Fatalf("%s: its stream does not end", who)
		return result{}
	}
}
