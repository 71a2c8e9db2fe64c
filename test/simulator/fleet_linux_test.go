package simulator

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

const patience = 40 * time.Second

// sensor is a small one, to see what the fleet sends.
type sensor struct {
	t    *testing.T
	l    *net.TCPListener
	data *udpsock.Receiver
}

func newSensor(t *testing.T) *sensor {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	data, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpsock.ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	return &sensor{t, l, data}
}

func (s *sensor) addr() netip.AddrPort { return netip.MustParseAddrPort(s.l.Addr().String()) }

// accept takes a connection and has it start a capture.
func (s *sensor) accept() *rpcap.Conn {
	s.t.Helper()
	s.l.SetDeadline(time.Now().Add(patience))
	c, err := s.l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	conn := rpcap.NewConn(c, rpcap.MaxReplyAccepted)
	s.t.Cleanup(func() { conn.Close() })
	s.ask(conn, rpcap.AuthRequest{}.Append(nil))
	h, payload := s.ask(conn, rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest))
	list, _, err := rpcap.ParseInterfaceList(h.Value, payload)
	if err != nil || list.Len() != 2 {
		s.t.Fatalf("list of %d interfaces: %v", list.Len(), err)
	}
	s.ask(conn, rpcap.OpenRequest{Name: "eth0"}.Append(nil))
	s.ask(conn, rpcap.StartCaptureRequest{
		Snaplen: rpcap.MaxSnaplen, Flags: rpcap.FlagDatagram, DataPort: s.data.Port(), Filter: rpcap.AcceptAll(),
	}.Append(nil))
	return conn
}

func (s *sensor) ask(conn *rpcap.Conn, msg []byte) (rpcap.Header, []byte) {
	s.t.Helper()
	if err := conn.WriteMessage(time.Now().Add(patience), msg); err != nil {
		s.t.Fatal(err)
	}
	h, payload, err := conn.ReadMessage(time.Now().Add(patience))
	if err != nil {
		s.t.Fatal(err)
	}
	if want := rpcap.Type(msg[1]).Reply(); h.Type != want {
		s.t.Fatalf("reply %v, want %v", h.Type, want)
	}
	return h, payload
}

func TestFleetSendsWhatItSays(t *testing.T) {
	s := newSensor(t)
	f, err := New(1, s.addr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.Run(ctx)
	}()
	conn := s.accept()

	// Frames come, whole and in turn.
	var sizes []int
	r := udpstr.NewReassembler(udpstr.ReassemblerConfig{}, func(p *udpstr.Packet) { sizes = append(sizes, len(p.Data)) })
	receive := func(wait time.Duration) {
		n, err := s.data.Receive(time.Now().Add(wait))
		if err != nil && wait == patience {
			t.Fatal(err)
		}
		for i := range n {
			from, b := s.data.Datagram(i)
			if from.Addr() != address(0) {
				t.Fatalf("a datagram from %v, the agent is %v", from, address(0))
			}
			r.Datagram(b, time.Now())
		}
	}
	f.SetLoad(Load{Sending: 1, Rate: 2000})
	for len(sizes) < 100 {
		receive(patience)
	}
	for i, n := range sizes {
		if n != imixSizes[i%len(imixSizes)] {
			t.Fatalf("frame %d has %d bytes, want %d", i, n, imixSizes[i%len(imixSizes)])
		}
	}

	// The numbers close.
	s.ask(conn, rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
	_, payload := s.ask(conn, rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest))
	numbers, _, err := rpcap.ParseStatsReply(payload)
	if err != nil {
		t.Fatal(err)
	}
	for r.Counters().Delivered < uint64(numbers.Captured) {
		receive(patience)
	}
	n, c := f.Numbers(), r.Counters()
	if n.Packed != uint64(numbers.Captured) || n.Packed != c.Delivered || n.Datagrams != c.Datagrams || n.SendDropped != 0 {
		t.Errorf("the fleet says %+v, the agent %+v, received %+v", n, numbers, c)
	}
	if n.Connected != 1 || n.Capturing != 0 || len(n.Attempts) != 1 || len(n.Handshakes) != 1 || len(n.Complaints) > 0 {
		t.Errorf("%+v", n)
	}

	// It comes back after a loss, not at once, and ends when told to.
	began := time.Now()
	conn.Close()
	s.accept()
	if took := time.Since(began); took < backoffFirst/2 {
		t.Errorf("back after %v", took)
	}
	cancel()
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Error("the fleet does not end")
	}
}

func TestAddressesDiffer(t *testing.T) {
	var all []netip.Addr
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	for i := range MaxAgents {
		if a := address(i); !loopback.Contains(a) {
			t.Fatalf("agent %d: %v", i, a)
		} else {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	if n := len(slices.Compact(all)); n != MaxAgents {
		t.Errorf("%d agents have %d addresses", MaxAgents, n)
	}
	if first, last := address(0), address(999); first.String() != "127.1.0.1" || last.String() != "127.1.3.238" {
		t.Errorf("%v to %v", first, last)
	}
}
