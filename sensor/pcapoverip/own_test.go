package pcapoverip

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"rpcapd/udpstr"
)

// tcpPacket is an IP packet from one end to another.
func tcpPacket(src, dst netip.AddrPort) []byte {
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
	o.change(ownFlow{client, 57012}, true)
	o.change(ownFlow{six, 57012}, true)
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
			frame := append(append([]byte(nil), l.head...), tcpPacket(x.src, x.dst)...)
			if got := o.carries(l.linkType, frame); got != x.own {
				t.Errorf("link type %d, %v to %v: %v", l.linkType, x.src, x.dst, got)
			}
			for n := range frame { // no prefix harms
				o.carries(l.linkType, frame[:n])
			}
		}
	}
	o.change(ownFlow{client, 57012}, false)
	if o.carries(101, tcpPacket(here, client)) || !o.carries(101, tcpPacket(here6, six)) {
		t.Error("one connection has ended, and not the other")
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
		data := tcpPacket(netip.MustParseAddrPort(c.local), netip.MustParseAddrPort(c.remote))
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
