package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// waitLimit bounds every wait of these tests; none is expected to come near it.
const waitLimit = 40 * time.Second

// vectors holds the recordings of the real peers.
const vectors = "../test/testdata/vectors"

// peer is the sensor's end of one control connection, driven by a test message by
// message.
type peer struct {
	t    *testing.T
	conn net.Conn
	wire *rpcap.Conn
}

// sensorPort listens like a sensor and hands out the connections that agents make.
func sensorPort(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func accept(t *testing.T, l *net.TCPListener) *peer {
	t.Helper()
	l.SetDeadline(time.Now().Add(waitLimit))
	c, err := l.Accept()
	if err != nil {
		t.Fatalf("no agent dialed: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t: t, conn: c, wire: rpcap.NewConn(c, rpcap.MaxReplyAccepted)}
}

// target is the ActiveClient line for a listener.
func target(l *net.TCPListener) config.Target {
	ap := l.Addr().(*net.TCPAddr).AddrPort()
	return config.Target{Host: ap.Addr().String(), Port: ap.Port(), Fanout: 1}
}

// runAgent runs an agent until the test ends or stop is called; stop waits for it.
func runAgent(t *testing.T, o Options) (s *Supervisor, stop func()) {
	t.Helper()
	leavesNothing(t)
	if o.Logger == nil {
		o.Logger = zaptest.NewLogger(t, zaptest.Level(zap.InfoLevel))
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(waitLimit):
			t.Fatal("the agent did not end")
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func (p *peer) send(msg []byte) {
	p.t.Helper()
	if err := p.wire.WriteMessage(time.Now().Add(waitLimit), msg); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

func (p *peer) receive() (rpcap.Header, []byte) {
	p.t.Helper()
	h, payload, err := p.wire.ReadMessage(time.Now().Add(waitLimit))
	if err != nil {
		p.t.Fatalf("receive: %v", err)
	}
	return h, payload
}

// want receives one message of a type.
func (p *peer) want(typ rpcap.Type) (rpcap.Header, []byte) {
	p.t.Helper()
	h, payload := p.receive()
	if h.Type != typ {
		if h.Type == rpcap.TypeError {
			e, _ := rpcap.ParseError(h, payload)
			p.t.Fatalf("got %v, want %s", e, typ)
		}
		p.t.Fatalf("got %s, want %s", h.Type, typ)
	}
	return h, payload
}

// wantError receives an ERROR of one code and returns its text.
func (p *peer) wantError(code rpcap.Code) string {
	p.t.Helper()
	h, payload := p.want(rpcap.TypeError)
	if rpcap.Code(h.Value) != code {
		p.t.Fatalf("error code %d (%s), want %d", h.Value, payload, code)
	}
	if len(payload) == 0 || len(payload) > rpcap.MaxErrorText {
		p.t.Fatalf("error text of %d bytes", len(payload))
	}
	return string(payload)
}

func (p *peer) authenticate() {
	p.t.Helper()
	p.send(rpcap.AuthRequest{}.Append(nil))
	if h, _ := p.want(rpcap.TypeAuthReply); h.PayloadLen != 0 {
		p.t.Fatalf("AUTH_REPLY has a payload of %d", h.PayloadLen)
	}
}

func (p *peer) open(name string) rpcap.OpenReply {
	p.t.Helper()
	p.send(rpcap.OpenRequest{Name: name}.Append(nil))
	_, b := p.want(rpcap.TypeOpenReply)
	r, _, err := rpcap.ParseOpenReply(b)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *peer) startCapture(port uint16, flags rpcap.StartCaptureFlags, f rpcap.Program) {
	p.t.Helper()
	p.send(startRequest(port, flags, f))
	_, b := p.want(rpcap.TypeStartCaptureReply)
	if r, _, err := rpcap.ParseStartCaptureReply(b); err != nil || r.DataPort != 0 {
		p.t.Fatalf("STARTCAP_REPLY %+v, %v", r, err)
	}
}

func startRequest(port uint16, flags rpcap.StartCaptureFlags, f rpcap.Program) []byte {
	return rpcap.StartCaptureRequest{Snaplen: 65535, ReadTimeout: 100, Flags: flags, DataPort: port, Filter: f}.Append(nil)
}

func (p *peer) stats() rpcap.StatsReply {
	p.t.Helper()
	p.send(rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest))
	_, b := p.want(rpcap.TypeStatsReply)
	r, _, err := rpcap.ParseStatsReply(b)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *peer) endCapture() {
	p.t.Helper()
	p.send(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
	p.want(rpcap.TypeEndCaptureReply)
}

// interfaces asks for the list.
func (p *peer) interfaces() []rpcap.Interface {
	p.t.Helper()
	p.send(rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest))
	h, b := p.want(rpcap.TypeFindAllReply)
	l, _, err := rpcap.ParseInterfaceList(h.Value, b)
	if err != nil {
		p.t.Fatal(err)
	}
	var list []rpcap.Interface
	for i := range l.All() {
		list = append(list, i)
	}
	return list
}

// wantClosed waits for the agent to end the connection.
func (p *peer) wantClosed() {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(waitLimit))
	if n, err := p.conn.Read(make([]byte, 1)); err == nil {
		p.t.Fatalf("got %d bytes, want the connection closed", n)
	} else if os.IsTimeout(err) {
		p.t.Fatal("the connection was not closed")
	}
}

// dataPort is the sensor's UDP port of a capture.
type dataPort struct {
	t    *testing.T
	conn *net.UDPConn
}

func openDataPort(t *testing.T) *dataPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &dataPort{t: t, conn: c}
}

func (d *dataPort) port() uint16 { return d.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

func (d *dataPort) addr() netip.AddrPort { return d.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// frames reassembles until n frames are here.
func (d *dataPort) frames(n int) []udpstr.Packet {
	d.t.Helper()
	var all atomic.Int64
	all.Store(int64(n))
	got := d.framesUntil(&all)
	if len(got) < n {
		d.t.Fatalf("%d of %d frames came", len(got), n)
	}
	return got
}

// framesUntil reassembles until as many frames are here as there are in all, once that is known, or no more come.
func (d *dataPort) framesUntil(all *atomic.Int64) []udpstr.Packet {
	var got []udpstr.Packet
	r := udpstr.NewReassembler(udpstr.ReassemblerConfig{}, func(p *udpstr.Packet) {
		c := *p
		c.Data = append([]byte(nil), p.Data...)
		got = append(got, c)
	})
	buf := make([]byte, 65536)
	for limit := time.Now().Add(waitLimit); ; {
		if n := all.Load(); n > 0 && int64(len(got)) >= n || time.Now().After(limit) {
			return got
		}
		d.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // n may come after the last frame
		if k, err := d.conn.Read(buf); err == nil {
			r.Datagram(buf[:k], time.Now())
			limit = time.Now().Add(waitLimit)
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			return got
		}
	}
}

// writeCaptureFile makes a pcap file of n frames; frame i is i%200+14 bytes long and
// carries its number.
func writeCaptureFile(t testing.TB, n int) string {
	t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, 262144)
	b = binary.LittleEndian.AppendUint32(b, 1)
	for i := range n {
		f := testFrame(i)
		b = binary.LittleEndian.AppendUint32(b, 1_700_000_000+uint32(i/1000))
		b = binary.LittleEndian.AppendUint32(b, uint32(i%1000)*1000)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	path := filepath.Join(t.TempDir(), "traffic.pcap")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func testFrame(i int) []byte {
	f := make([]byte, 18+i%200)
	copy(f, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x88\xb5")
	binary.BigEndian.PutUint32(f[14:], uint32(i))
	for k := 18; k < len(f); k++ {
		f[k] = byte(i + k)
	}
	return f
}

// fileAgent runs an agent that captures a file of n frames for one sensor.
func fileAgent(t *testing.T, n int, change func(*Options)) (*Supervisor, *net.TCPListener) {
	t.Helper()
	l := sensorPort(t)
	o := Options{ReadFile: writeCaptureFile(t, n)}
	o.Config.Targets = []config.Target{target(l)}
	o.Config.NullAuth = true
	o.Config.Datagram = config.Datagram{Size: 1472}
	if change != nil {
		change(&o)
	}
	s, _ := runAgent(t, o)
	return s, l
}

// pipeTimers is when the timers of a net.Pipe that was closed are gone, in virtual time.
const pipeTimers = time.Minute
