package pcapoverip

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"rpcapd/udpstr"
)

// tcpBytes is an IP packet from one end to another.
func tcpBytes(src, dst netip.AddrPort) []byte {
	var b []byte
	if src.Addr().Is4() {
		b = make([]byte, 40)
		b[0], b[9] = 0x45, 6
		copy(b[12:], src.Addr().AsSlice())
		copy(b[16:], dst.Addr().AsSlice())
	} else {
		b = make([]byte, 60)
		b[0], b[6] = 0x60, 6
		copy(b[8:], src.Addr().AsSlice())
		copy(b[24:], dst.Addr().AsSlice())
	}
	binary.BigEndian.PutUint16(b[len(b)-20:], src.Port())
	binary.BigEndian.PutUint16(b[len(b)-18:], dst.Port())
	return b
}

func TestOwnFlows(t *testing.T) {
	client, other := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.1:40001")
	here, elsewhere := netip.MustParseAddrPort("10.0.0.1:57012"), netip.MustParseAddrPort("10.0.0.1:80")
	six, here6 := netip.MustParseAddrPort("[2001:db8::1]:40000"), netip.MustParseAddrPort("[2001:db8::2]:57012")
	var o Own
	o.add(ownFlow{client, 57012}, here.Addr())
	o.add(ownFlow{six, 57012}, here6.Addr())
	head := func(n int, kind ...byte) []byte { return append(make([]byte, n-len(kind)), kind...) }
	for _, l := range []struct {
		linkType uint32
		head     []byte
	}{
		{1, head(14, 8, 0)}, {1, append(head(14, 0x81, 0), 0, 5, 8, 0)}, {12, nil}, {101, nil}, {113, head(16, 8, 0)}, {276, head(20)},
	} {
		for _, x := range []struct {
			src, dst netip.AddrPort
			own      bool
		}{
			{here, client, true}, {client, here, true}, {here, other, false}, {other, here, false}, {elsewhere, client, false},
			{client, elsewhere, false}, {here6, six, true}, {six, here6, true},
		} {
			frame := append(append([]byte(nil), l.head...), tcpBytes(x.src, x.dst)...)
			if got := o.carries(l.linkType, frame); got != x.own {
				t.Errorf("link type %d, %v to %v: %v", l.linkType, x.src, x.dst, got)
			}
			for n := range frame { // no prefix harms
				o.carries(l.linkType, frame[:n])
			}
		}
	}
	o.remove(ownFlow{client, 57012})
	if o.carries(101, tcpBytes(here, client)) || !o.carries(101, tcpBytes(here6, six)) {
		t.Error("one connection has ended, and not the other")
	}
}

// TestOwnFlowsHalfSeen: a snap length, extension headers or fragmentation that hide the ports hide no connection.
func TestOwnFlowsHalfSeen(t *testing.T) {
	client, here := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("10.0.0.1:57012")
	six, here6 := netip.MustParseAddrPort("[2001:db8::1]:40000"), netip.MustParseAddrPort("[2001:db8::2]:57012")
	stranger, stranger6 := netip.MustParseAddrPort("192.0.2.9:40000"), netip.MustParseAddrPort("[2001:db8::9]:40000")
	var o Own
	o.add(ownFlow{client, 57012}, here.Addr())
	o.add(ownFlow{six, 57012}, here6.Addr())
	// extended puts headers in front of TCP, each with the number of the next one, which it begins with.
	extended := func(src, dst netip.AddrPort, headers ...[]byte) []byte {
		b := tcpBytes(src, dst)
		head, tail := append([]byte(nil), b[:40]...), b[40:]
		next := &head[6]
		for _, h := range headers {
			*next = h[0]
			h = append([]byte{protoTCP}, h[1:]...)
			head = append(head, h...)
			next = &head[len(head)-len(h)]
		}
		return append(head, tail...)
	}
	options := func(kind byte) []byte { return []byte{kind, 0, 1, 4, 0, 0, 0, 0} }
	long := append([]byte{protoDestination, 2}, make([]byte, 22)...)
	ah := append([]byte{protoAH, 4}, make([]byte, 22)...)
	firstFragment, laterFragment := []byte{protoFragment, 0, 0, 1, 0, 0, 0, 7}, []byte{protoFragment, 0, 0, 8, 0, 0, 0, 7}
	fragment4 := func(src, dst netip.AddrPort) []byte {
		b := tcpBytes(src, dst)
		b[7] = 1 // 8 bytes in
		return b
	}
	udp := func(b []byte, at int) []byte { b[at] = 17; return b }
	for _, tc := range []struct {
		name string
		ip   []byte
		own  bool
	}{
		{"IPv4 cut before the ports", tcpBytes(here, client)[:20], true},
		{"IPv4 cut between the ports", tcpBytes(client, here)[:22], true},
		{"of another host", tcpBytes(here, stranger)[:20], false},
		{"UDP", udp(tcpBytes(here, client), 9)[:20], false},
		{"cut before the addresses", tcpBytes(here, client)[:19], false},
		{"a later fragment", fragment4(here, client), true},
		{"a later fragment of another host", fragment4(here, stranger), false},
		{"IPv6 cut before the ports", tcpBytes(here6, six)[:40], true},
		{"IPv6 of another host", tcpBytes(here6, stranger6)[:40], false},
		{"behind hop-by-hop options", extended(six, here6, options(protoHopByHop)), true},
		{"behind three headers", extended(here6, six, options(protoHopByHop), options(protoRouting), long), true},
		{"behind them, another host", extended(here6, stranger6, options(protoHopByHop), options(protoRouting), long), false},
		{"behind AH", extended(here6, six, ah), true},
		{"the first fragment", extended(here6, six, firstFragment), true},
		{"a later fragment", extended(here6, six, laterFragment), true},
		{"cut within a header", extended(here6, six, long)[:50], true},
		{"cut within a header, another host", extended(here6, stranger6, long)[:50], false},
		{"UDP behind a header", udp(extended(here6, six, options(protoDestination)), 40), false},
		{"more headers than anybody looks behind", extended(here6, six, long, long, long, long, long, long, long, long, long), true},
	} {
		for _, tag := range [][]byte{{8, 0}, {0x81, 0, 0, 5, 8, 0}, {0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd}} {
			frame := append(append(make([]byte, 12), tag...), tc.ip...)
			if got := o.carries(1, frame); got != tc.own {
				t.Errorf("%s, %d bytes in front: %v", tc.name, len(frame)-len(tc.ip), got)
			}
		}
	}
}

// TestNoLoop gives two sinks each other's packets, as an agent does that sees them.
func TestNoLoop(t *testing.T) {
	shared := &Own{}
	a, b := start(t, Options{Name: "a", Own: shared}), start(t, Options{Name: "b", Own: shared})
	fa, fb := a.attach("host", "lo", 12), b.attach("host", "lo", 12)
	ca, cb := dial(t, a.address()), dial(t, b.address())
	collect(ca)
	collect(cb)
	a.streaming(1)
	b.streaming(1)
	for _, c := range []struct{ local, remote string }{
		{ca.RemoteAddr().String(), ca.LocalAddr().String()}, {cb.RemoteAddr().String(), cb.LocalAddr().String()},
	} {
		data := tcpBytes(netip.MustParseAddrPort(c.local), netip.MustParseAddrPort(c.remote))
		p := &udpstr.Packet{Frame: udpstr.Frame{Data: data, Len: uint32(len(data))}}
		fa.Frame(p)
		fb.Frame(p)
	}
	for _, n := range []uint64{fa.Counters().LeftOut, fb.Counters().LeftOut} {
		if n != 2 {
			t.Errorf("%d own packets left out, want 2", n)
		}
	}
}
