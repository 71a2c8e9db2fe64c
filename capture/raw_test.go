package capture

import (
	"net/netip"
	"slices"
	"testing"

	"rpcapd/iface"
)

func TestRawAddresses(t *testing.T) {
	address := func(list ...string) *iface.Interface {
		var i iface.Interface
		for _, a := range list {
			i.Addresses = append(i.Addresses, iface.Address{Addr: netip.MustParseAddr(a)})
		}
		return &i
	}
	for _, c := range []struct{ have, want []string }{
		{nil, nil},
		{[]string{"10.0.0.1", "10.0.0.2"}, []string{"10.0.0.1"}},
		{[]string{"fe80::1%7", "2001:db8::1", "2001:db8::2", "10.0.0.1"}, []string{"10.0.0.1", "2001:db8::1"}},
		{[]string{"169.254.1.1", "10.0.0.1", "fe80::1%7"}, []string{"10.0.0.1", "fe80::1%7"}},
	} {
		var got []string
		for _, a := range rawAddresses(address(c.have...)) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.have, got, c.want)
		}
	}
}

func TestRawLength(t *testing.T) {
	v4 := append([]byte{0x45, 0, 0, 28}, make([]byte, 24)...)
	v6 := append([]byte{0x60, 0, 0, 0, 0, 8}, make([]byte, 42)...)
	with := func(b []byte, at int, v byte) []byte {
		b = slices.Clone(b)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name   string
		packet []byte
		ipv4   bool
		n      int
		ok     bool
	}{
		{"IPv4", v4, true, 28, true},
		{"IPv4 with offload", with(v4, 3, 0), true, 28, true},
		{"IPv4 cut", v4[:24], true, 28, true},
		{"IPv4, version 5", with(v4, 0, 0x55), true, 0, false},
		{"IPv4, header of 16 bytes", with(v4, 0, 0x44), true, 0, false},
		{"IPv4, too short", v4[:19], true, 0, false},
		{"IPv6", v6, false, 48, true},
		{"IPv6 with offload", with(v6, 5, 0), false, 48, true},
		{"IPv6 without header", with(v6, 0, 0x11), false, 0, false},
		{"IPv6 without header that looks like one", with(v6, 5, 200), false, 48, false},
		{"IPv6, too short", v6[:39], false, 0, false},
		{"nothing", nil, true, 0, false},
		{"nothing", nil, false, 0, false},
	} {
		if n, ok := rawLength(c.packet, c.ipv4); ok != c.ok || ok && n != c.n {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, n, ok, c.n, c.ok)
		}
	}
}
