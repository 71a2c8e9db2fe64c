package iface

import (
	"net/netip"
	"testing"
)

// example is a list in its order: a host with two wired interfaces, a tunnel and
// loopback.
func example() []Interface {
	address := func(text string) Address {
		p := netip.MustParsePrefix(text)
		return Address{Addr: p.Addr(), Prefix: p.Bits()}
	}
	linkLocal := address("fe80::1/64")
	linkLocal.Addr = linkLocal.Addr.WithZone("3")
	return []Interface{
		{Name: "eth0", Addresses: []Address{address("10.1.2.3/16"), address("192.0.2.7/32")}},
		{Name: "eth1", Addresses: []Address{address("10.9.0.1/24"), address("2001:db8::1/64"), linkLocal}},
		{Name: "tun0"},
		{Name: "lo", Addresses: []Address{address("127.0.0.1/8"), address("::1/128")}},
	}
}

func TestSelector(t *testing.T) {
	cases := []struct {
		name, net string
		want      string // the interface, empty for none
		text      string
	}{
		{"", "", "eth0", ""},
		{"eth1", "", "eth1", "ifname=eth1"},
		{"tun0", "", "tun0", "ifname=tun0"},
		{"eth", "", "", "ifname=eth"},
		{"ETH0", "", "", "ifname=ETH0"},
		{"", "10.0.0.0/8", "eth0", "ifaddr=10.0.0.0/8"},
		{"", "10.9.0.0/16", "eth1", "ifaddr=10.9.0.0/16"},
		{"", "10.9.0.1/32", "eth1", "ifaddr=10.9.0.1"},
		{"", "192.0.2.0/24", "eth0", "ifaddr=192.0.2.0/24"},
		{"", "0.0.0.0/0", "eth0", "ifaddr=0.0.0.0/0"},
		{"", "::/0", "eth1", "ifaddr=::/0"},
		{"", "fe80::/10", "eth1", "ifaddr=fe80::/10"},
		{"", "fe80::1/128", "eth1", "ifaddr=fe80::1"},
		{"", "10.1.0.0/24", "", "ifaddr=10.1.0.0/24"},
		{"", "10.9.0.77/24", "eth1", "ifaddr=10.9.0.77/24"}, // host bits do not count
		{"eth1", "10.0.0.0/8", "eth1", "ifname=eth1, ifaddr=10.0.0.0/8"},
		{"eth0", "10.9.0.0/16", "", "ifname=eth0, ifaddr=10.9.0.0/16"},
		{"lo", "127.0.0.0/8", "lo", "ifname=lo, ifaddr=127.0.0.0/8"},
	}
	for _, c := range cases {
		s := Selector{Name: c.name}
		if c.net != "" {
			s.Net = netip.MustParsePrefix(c.net)
		}
		if s.String() != c.text {
			t.Errorf("%q, want %q", s.String(), c.text)
		}
		if s.IsZero() != (c.text == "") {
			t.Errorf("%q: IsZero is %v", c.text, s.IsZero())
		}
		list := example()
		n, ok := s.First(list)
		got := ""
		if ok {
			got = list[n].Name
		}
		if got != c.want {
			t.Errorf("%q selects %q, want %q", c.text, got, c.want)
		}
		for m := range list[:n] {
			if s.Matches(&list[m]) {
				t.Errorf("%q matches %s, which is not the first", c.text, list[m].Name)
			}
		}
	}
	if _, ok := (Selector{}).First(nil); ok {
		t.Error("an empty list has a first interface")
	}
}
