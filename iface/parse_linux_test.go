package iface

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// attribute appends one route attribute, padded to four bytes.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func linkMessage(arp uint16, index, iff uint32) []byte {
	b := []byte{0, 0}
	b = binary.NativeEndian.AppendUint16(b, arp)
	b = binary.NativeEndian.AppendUint32(b, index)
	b = binary.NativeEndian.AppendUint32(b, iff)
	return binary.NativeEndian.AppendUint32(b, 0)
}

func TestParseLink(t *testing.T) {
	m := linkMessage(1, 7, unix.IFF_UP|unix.IFF_RUNNING|unix.IFF_BROADCAST)
	m = attribute(m, unix.IFLA_IFNAME, []byte("eth7\x00"))
	m = attribute(m, unix.IFLA_IFALIAS, []byte("up\x01link \xff\x00"))
	m = attribute(m, unix.IFLA_MTU, binary.NativeEndian.AppendUint32(nil, 9001))
	m = attribute(m, unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 7})
	m = attribute(m, unix.IFLA_BROADCAST, []byte{255, 255, 255, 255, 255, 255})
	alt := attribute(attribute(nil, unix.IFLA_ALT_IFNAME, []byte("enp7s0\x00")), unix.IFLA_ALT_IFNAME, []byte("enx020000000007\x00"))
	m = attribute(m, unix.IFLA_PROP_LIST|unix.NLA_F_NESTED, alt)
	i, err := parseLink(m)
	if err != nil {
		t.Fatal(err)
	}
	if i.Index != 7 || i.Name != "eth7" || i.Description != "up?link ?" || i.MTU != 9001 || i.ARPType != 1 {
		t.Errorf("%+v", i)
	}
	if !slices.Equal(i.AltNames, []string{"enp7s0", "enx020000000007"}) || !i.Named("enp7s0") || !i.Named("eth7") || i.Named("eth") {
		t.Errorf("alternative names %q", i.AltNames)
	}
	if !i.Broadcast || i.PointToPoint || i.Flags != Up|Running {
		t.Errorf("broadcast %v, point to point %v, flags %v", i.Broadcast, i.PointToPoint, i.Flags)
	}
	if i.HardwareAddr.String() != "02:00:00:00:00:07" || i.HardwareBroadcast.String() != "ff:ff:ff:ff:ff:ff" {
		t.Errorf("hardware addresses %v, %v", i.HardwareAddr, i.HardwareBroadcast)
	}

	m = attribute(linkMessage(772, 1, unix.IFF_UP|unix.IFF_LOOPBACK), unix.IFLA_BROADCAST, make([]byte, 6))
	if i, err := parseLink(m); err != nil || i.HardwareBroadcast != nil || i.Flags != Up|Loopback {
		t.Errorf("loopback: %+v, %v", i, err)
	}
	if _, err := parseLink(m[:15]); err == nil {
		t.Error("a short message was read")
	}
}

func addressMessage(family, prefix uint8, index uint32) []byte {
	return binary.NativeEndian.AppendUint32([]byte{family, prefix, 0, 0}, index)
}

func TestParseAddress(t *testing.T) {
	ether := Interface{Index: 3, Broadcast: true}
	tunnel := Interface{Index: 4, PointToPoint: true}
	loop := Interface{Index: 1}
	cases := []struct {
		name                      string
		on                        Interface
		local, address, broadcast string // attributes
		want, bcast, peer         string
	}{
		{"usual", ether, "10.0.0.1", "10.0.0.1", "10.0.0.255", "10.0.0.1", "10.0.0.255", ""},
		{"no broadcast configured", ether, "10.0.0.1", "10.0.0.1", "", "10.0.0.1", "10.0.0.1", ""},
		{"peer on a broadcast interface", ether, "10.0.0.1", "10.0.0.2", "", "10.0.0.1", "10.0.0.1", ""},
		{"point to point", tunnel, "10.0.0.1", "10.0.0.2", "", "10.0.0.1", "", "10.0.0.2"},
		{"point to point without peer", tunnel, "10.0.0.1", "10.0.0.1", "10.0.0.255", "10.0.0.1", "", "10.0.0.1"},
		{"loopback", loop, "127.0.0.1", "127.0.0.1", "", "127.0.0.1", "", ""},
		{"IPv6", ether, "", "2001:db8::1", "", "2001:db8::1", "", ""},
		{"IPv6 link-local", ether, "", "fe80::1", "", "fe80::1%3", "", ""},
		{"IPv6 peer", tunnel, "fe80::1", "fe80::2", "", "fe80::1%4", "", "fe80::2%4"},
		{"IPv6 point to point without peer", tunnel, "", "2001:db8::1", "", "2001:db8::1", "", ""},
	}
	for _, c := range cases {
		family := uint8(unix.AF_INET)
		if netip.MustParseAddr(c.address).Is6() {
			family = unix.AF_INET6
		}
		m := addressMessage(family, 24, uint32(c.on.Index))
		for kind, text := range map[uint16]string{unix.IFA_LOCAL: c.local, unix.IFA_ADDRESS: c.address, unix.IFA_BROADCAST: c.broadcast} {
			if text != "" {
				m = attribute(m, kind, netip.MustParseAddr(text).AsSlice())
			}
		}
		got, ok, err := parseAddress(m, &c.on)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", c.name, ok, err)
			continue
		}
		want := Address{Addr: netip.MustParseAddr(c.want), Prefix: 24}
		if c.bcast != "" {
			want.Broadcast = netip.MustParseAddr(c.bcast)
		}
		if c.peer != "" {
			want.Peer = netip.MustParseAddr(c.peer)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
	for name, m := range map[string][]byte{
		"another family": attribute(addressMessage(unix.AF_PHONET, 0, 3), unix.IFA_LOCAL, []byte{1}),
		"no address":     addressMessage(unix.AF_INET, 24, 3),
		"odd length":     attribute(addressMessage(unix.AF_INET, 24, 3), unix.IFA_LOCAL, []byte{1, 2, 3}),
	} {
		if got, ok, err := parseAddress(m, &ether); ok || err != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAddAddresses(t *testing.T) {
	list := []Interface{{Index: 1}, {Index: 2, Broadcast: true}}
	message := func(index uint32, text string) []byte {
		a := netip.MustParseAddr(text)
		family := uint8(unix.AF_INET)
		if a.Is6() {
			family = unix.AF_INET6
		}
		return attribute(addressMessage(family, 8, index), unix.IFA_ADDRESS, a.AsSlice())
	}
	err := addAddresses(list, [][]byte{
		message(2, "2001:db8::1"), message(2, "10.0.0.2"), message(9, "10.0.0.9"), message(1, "127.0.0.1"), message(2, "10.0.0.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list[0].Addresses) != 1 || len(list[1].Addresses) != 3 {
		t.Fatalf("%+v", list)
	}
	for n, want := range []string{"10.0.0.2", "10.0.0.1", "2001:db8::1"} {
		if got := list[1].Addresses[n].Addr.String(); got != want {
			t.Errorf("address %d: %s, want %s", n, got, want)
		}
	}
	if err := addAddresses(list, [][]byte{{2, 8}}); err == nil {
		t.Error("a short message was read")
	}
}
