package iface

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func TestRouteInterfaces(t *testing.T) {
	const upAndRunning = routeUp | routeRunning
	links := []routeLink{
		{index: 1, name: "lo0", flags: upAndRunning | routeLoopback, mtu: 16384, kind: routeTypeLoopback},
		{index: 4, name: "em0", flags: upAndRunning | routeBroadcast, mtu: 1500, kind: routeTypeEther, hardware: []byte{2, 0, 0, 0, 0, 4}},
		{index: 5, name: "tun0", flags: upAndRunning | routePointToPoint, mtu: 1400, kind: 53},
		{index: 6, name: "em1", flags: routeBroadcast, mtu: 1500, kind: routeTypeEther, hardware: []byte{2, 0, 0, 0, 0, 6}},
		{index: 7, name: "ath0", flags: routeUp | routeBroadcast, kind: routeTypeWireless},
	}
	a := netip.MustParseAddr
	bytes := func(s string) []byte { return a(s).AsSlice() }
	addrs := []routeAddress{
		{index: 1, addr: a("::1"), mask: bytes("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")},
		{index: 1, addr: a("fe80::1"), mask: bytes("ffff:ffff:ffff:ffff::")},
		{index: 1, addr: a("127.0.0.1"), mask: bytes("255.0.0.0")},
		{index: 4, addr: a("fe80::4"), mask: bytes("ffff:ffff:ffff:ffff::"), broadcast: a("fe80::5")},
		{index: 4, addr: a("10.0.0.4"), mask: []byte{255, 255, 254}, broadcast: a("10.0.1.255")}, // trailing zeros are left out
		{index: 4, addr: a("10.0.9.4"), mask: []byte{255, 255, 255, 192}},
		{index: 5, addr: a("10.8.0.2"), mask: bytes("255.255.255.255"), broadcast: a("10.8.0.1")},
		{index: 5, addr: a("10.8.0.9")},
		{index: 5, addr: a("fe80::9"), mask: bytes("ffff:ffff:ffff:ffff::"), broadcast: a("fe80::a")},
		{index: 9, addr: a("10.1.1.1")},
		{index: 6, mask: []byte{255}},
	}
	list := routeInterfaces(links, addrs)
	if len(list) != 5 {
		t.Fatalf("%d interfaces", len(list))
	}
	for n, want := range []struct {
		name  string
		flags Flags
		arp   uint16
		addrs []Address
	}{
		{"lo0", Up | Running | Loopback | NotApplicable, 772, []Address{
			{Addr: a("127.0.0.1"), Prefix: 8}, {Addr: a("::1"), Prefix: 128}, {Addr: a("fe80::1%1"), Prefix: 64}}},
		{"em0", Up | Running, 1, []Address{
			{Addr: a("10.0.0.4"), Prefix: 23, Broadcast: a("10.0.1.255")}, {Addr: a("10.0.9.4"), Prefix: 26, Broadcast: a("10.0.9.4")},
			{Addr: a("fe80::4%4"), Prefix: 64}}},
		{"tun0", Up | Running, 0, []Address{
			{Addr: a("10.8.0.2"), Prefix: 32, Peer: a("10.8.0.1")}, {Addr: a("10.8.0.9"), Prefix: 32, Peer: a("10.8.0.9")},
			{Addr: a("fe80::9%5"), Prefix: 64, Peer: a("fe80::a%5")}}},
		{"em1", 0, 1, nil},
		{"ath0", Up | Wireless, 0, nil},
	} {
		i := list[n]
		if i.Name != want.name || i.Flags != want.flags || i.ARPType != want.arp || len(i.Addresses) != len(want.addrs) || i.Index != links[n].index || i.MTU != links[n].mtu {
			t.Errorf("%+v, want %+v", i, want)
			continue
		}
		for k := range want.addrs {
			if i.Addresses[k] != want.addrs[k] {
				t.Errorf("%s, address %d: %+v, want %+v", i.Name, k, i.Addresses[k], want.addrs[k])
			}
		}
	}
	if em := list[1]; em.HardwareAddr.String() != "02:00:00:00:00:04" || em.HardwareBroadcast.String() != "ff:ff:ff:ff:ff:ff" || !em.Broadcast || em.PointToPoint {
		t.Errorf("%+v", em)
	}
	if !list[2].PointToPoint || list[2].HardwareAddr != nil || list[0].HardwareBroadcast != nil {
		t.Errorf("%+v", list)
	}
}

func TestRoutePrefix(t *testing.T) {
	for _, c := range []struct {
		mask []byte
		want int
	}{{nil, 32}, {[]byte{0, 0, 0, 0}, 0}, {[]byte{255, 128}, 9}, {[]byte{255, 255, 255, 255, 255}, 32}, {[]byte{255, 0, 255, 0}, 8}} {
		if got := (routeAddress{addr: netip.MustParseAddr("10.0.0.1"), mask: c.mask}).prefix(); got != c.want {
			t.Errorf("%v: %d, want %d", c.mask, got, c.want)
		}
	}
}

// routeMessage is the head of a message and n bytes in all.
func routeMessage(kind byte, n int) []byte {
	b := make([]byte, max(n, 4))
	binary.NativeEndian.PutUint16(b, uint16(n))
	b[2], b[3] = 5, kind
	return b
}

func TestRouteChanged(t *testing.T) {
	watched := []byte{12, 13, 14}
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"nothing", nil, false},
		{"a route", routeMessage(1, 152), false},
		{"an address", routeMessage(12, 80), true},
		{"behind two routes", append(append(routeMessage(1, 96), routeMessage(2, 104)...), routeMessage(14, 112)...), true},
		{"length 0", routeMessage(1, 0), true},
		{"cut", routeMessage(1, 96)[:50], true},
		{"less than a head", []byte{8, 0}, true},
	} {
		if got := routeChanged(c.b, watched); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzRouteChanged(f *testing.F) {
	f.Add(routeMessage(1, 96))
	f.Add(append(routeMessage(1, 4), 1, 2, 3))
	f.Fuzz(func(_ *testing.T, b []byte) { routeChanged(b, []byte{12}) })
}

func TestMediaFlags(t *testing.T) {
	request := func(word int, status, active uint64) []byte {
		b := make([]byte, 16+2*word, 64)
		copy(b, "em0")
		for _, v := range []uint64{status, active} {
			if word == 8 {
				b = binary.NativeEndian.AppendUint64(b, v)
			} else {
				b = binary.NativeEndian.AppendUint32(b, uint32(v))
			}
		}
		return b
	}
	for _, c := range []struct {
		name           string
		word           int
		status, active uint64
		want           Flags
	}{
		{"Ethernet with a link", 4, 3, 0x30, Connected},
		{"Ethernet without", 4, 1, 0x20, Disconnected},
		{"a driver that cannot tell", 4, 0, 0x20, NotApplicable},
		{"wireless", 4, 3, 0x100080, Wireless | Connected},
		{"Ethernet on OpenBSD", 8, 3, 0x1000_0000_0106, Connected},
		{"wireless on OpenBSD", 8, 1, 0x406, Wireless | Disconnected},
	} {
		if got := mediaFlags(request(c.word, c.status, c.active), c.word); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if mediaFlags(make([]byte, 31), 4) != StatusUnknown {
		t.Error("a short answer")
	}
}
