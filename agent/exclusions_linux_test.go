package agent

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/filter"
)

// A sensor says where the data goes to, and its operator what addresses its name has: it
// must not be able to have another host's traffic left out.
func TestDataPortOfConnectedAddressOnly(t *testing.T) {
	e := newExclusions(false)
	x, y := &session{}, &session{}
	own, victim := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9")
	e.set(x, []netip.Addr{own, victim}, 2003)
	e.setData(x, netip.AddrPortFrom(own, 443))
	e.set(y, []netip.Addr{victim}, 2004)
	e.setData(y, netip.AddrPortFrom(victim, 5000))
	want := []filter.Endpoint{
		{Addr: own, Control: 2003, Data: []uint16{443}},
		{Addr: victim, Control: 2003},
		{Addr: victim, Control: 2004, Data: []uint16{5000}},
	}
	got := e.snapshot().Endpoints
	if !slices.EqualFunc(got, want, func(a, b filter.Endpoint) bool {
		return a.Addr == b.Addr && a.Control == b.Control && slices.Equal(a.Data, b.Data)
	}) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The port of a connection that has ended stays excluded for a minute.
func TestOldPortLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExclusions(false)
		a := near{local: netip.MustParseAddrPort("192.0.2.1:40001"), tcp: true}
		b := near{local: netip.MustParseAddrPort("192.0.2.1:40001")}
		e.begin(a)
		e.begin(b)
		e.end(b)
		e.end(a)
		e.begin(a) // the kernel may give a port again
		time.Sleep(nearLinger - time.Second)
		if x := e.snapshot().Near; len(x.TCP) != 1 || len(x.UDP) != 1 || len(x.Addrs) != 1 {
			t.Errorf("after 59 s: %+v", x)
		}
		time.Sleep(time.Second)
		if x := e.snapshot().Near; len(x.TCP) != 1 || len(x.UDP) != 0 {
			t.Errorf("after a minute: %+v", x)
		}
		synctest.Wait()
		if len(e.near) != 1 {
			t.Errorf("%v is kept", e.near)
		}
	})
}

// A sensor that starts and ends captures without end does not fill the filter: the oldest
// ports give way, none in use.
func TestOldPortsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExclusions(false)
		addr := netip.MustParseAddr("192.0.2.1")
		used := near{local: netip.AddrPortFrom(addr, 1), tcp: true}
		e.begin(used)
		for port := range uint16(1000) {
			n := near{local: netip.AddrPortFrom(addr, 10000+port)}
			e.begin(n)
			time.Sleep(time.Millisecond)
			e.end(n)
		}
		x := e.snapshot().Near
		if len(x.UDP) != nearOld || x.UDP[0] != 11000-nearOld || !slices.Equal(x.TCP, []uint16{1}) {
			t.Errorf("%+v", x)
		}
		time.Sleep(nearLinger + 2*nearSweep)
		if e.mu.Lock(); len(e.near) != 1 || !e.near[used].IsZero() || len(e.current().Near.UDP) != 0 {
			t.Errorf("after they were over: %v", e.near)
		}
		if e.sweeping {
			t.Error("the timer goes on with nothing to do")
		}
		e.mu.Unlock()
	})
}

// An interface with thousands of addresses does not fill it either, and those of the
// connections come first.
func TestNearAddressesAreBounded(t *testing.T) {
	e := newExclusions(false)
	source := netip.MustParseAddr("192.0.2.1")
	e.begin(near{local: netip.AddrPortFrom(source, 40001)})
	many := make([]netip.Addr, 5000)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	}
	e.captures[&capturing{final: &Counters{}}] = many
	if x := e.snapshot().Near; len(x.Addrs) != nearAddresses || x.Addrs[0] != source {
		t.Errorf("%d addresses: %v", len(x.Addrs), x.Addrs)
	}
}

// The port is excluded before the first packet leaves, and is that of the connection.
func TestPortIsKnownBeforeConnecting(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("no %s here: %v", address, err)
			continue
		}
		defer l.Close()
		e := newExclusions(false)
		ends := e.dialing()
		d := net.Dialer{Control: ends.control}
		conn, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
		if want := []near{{local: local, tcp: true}}; !slices.Equal(ends.tried, want) {
			t.Errorf("before: %v, want %v", ends.tried, want)
		}
		if used := ends.done(conn); used.local != local {
			t.Errorf("%v, want %v", used, local)
		}
		if x := e.snapshot().Near; !slices.Equal(x.TCP, []uint16{local.Port()}) || !slices.Equal(x.Addrs, []netip.Addr{local.Addr()}) {
			t.Errorf("%+v", x)
		}
		e.dialing().done(nil)
		if _, _, err := dialData(context.Background(), netip.MustParseAddrPort("127.0.0.1:1"), e); err == nil || len(e.near) != 1 {
			t.Errorf("a dial that failed: %v, %v", err, e.near)
		}
	}
}
