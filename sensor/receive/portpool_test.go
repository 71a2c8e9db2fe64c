package receive

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
)

func testPool(t *testing.T, count int, open func(netip.AddrPort) (Socket, error)) *portPool {
	t.Helper()
	p := newPortPool(&Config{Data: DataPorts{First: 2003, Count: count}, Open: open, Log: zap.NewNop()})
	t.Cleanup(p.close)
	return p
}

// TestPortsSpread: agents behind one address share no port while others are free, and one agent opens one port.
func TestPortsSpread(t *testing.T) {
	fake := &fakePorts{}
	p := testPool(t, 4, fake.open)
	seen := make(map[uint16]int)
	for i := range 4 {
		s, _ := testStream("10.0.0.2")
		port, err := p.allocate(s, func() {})
		if err != nil {
			t.Fatal(err)
		}
		if seen[port.port]++; fake.count() != i+1 {
			t.Errorf("%d ports open after %d streams", fake.count(), i+1)
		}
	}
	if len(seen) != 4 {
		t.Errorf("ports %v", seen)
	}
	// Another address begins anew, on the port with the fewest streams.
	other, _ := testStream("10.0.0.3")
	if _, err := p.allocate(other, func() {}); err != nil {
		t.Error(err)
	}
	// All of the first address's streams still await their first datagram: a fifth could not be told apart.
	fifth, _ := testStream("10.0.0.2")
	if _, err := p.allocate(fifth, func() {}); !errors.Is(err, ErrPortsPending) {
		t.Fatalf("fifth stream: %v", err)
	}
	busy := p.slots[2].port
	busy.batch(feed(busy, "10.0.0.2:5000", packed(t, testFrames(1, 60), 512)[0]), time.Now())
	if port, err := p.allocate(fifth, func() {}); err != nil || port != busy {
		t.Errorf("fifth stream got %v, %v instead of the bound port %d", port, err, busy.port)
	}
}

// feed puts one datagram where the next batch finds it.
func feed(p *dataPort, src string, b []byte) int {
	p.sock.(*fakeSocket).last = []fakeDatagram{{netip.MustParseAddrPort(src), b}}
	return 1
}

func TestPortsReleaseAndRotate(t *testing.T) {
	fake := &fakePorts{}
	p := testPool(t, 3, fake.open)
	var order []uint16
	for range 4 {
		s, _ := testStream("10.0.0.2")
		port, err := p.allocate(s, func() {})
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, port.port)
		p.release(port, s)
	}
	if fmt.Sprint(order) != "[2003 2004 2005 2003]" {
		t.Errorf("order %v: a port just left should be the last to be used again", order)
	}
	for _, st := range p.status() {
		if st.Streams != 0 {
			t.Errorf("%+v", st)
		}
	}
}

// TestPortsTaken: a port that another program has is passed over.
func TestPortsTaken(t *testing.T) {
	fake := &fakePorts{}
	p := testPool(t, 2, func(a netip.AddrPort) (Socket, error) {
		if a.Port() == 2003 {
			return nil, syscall.EADDRINUSE
		}
		return fake.open(a)
	})
	s, _ := testStream("10.0.0.2")
	if port, err := p.allocate(s, func() {}); err != nil || port.port != 2004 {
		t.Errorf("port %v, %v", port, err)
	}
	none := testPool(t, 2, func(netip.AddrPort) (Socket, error) { return nil, syscall.EADDRINUSE })
	if _, err := none.allocate(s, func() {}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("no port to be had: %v", err)
	}
}
