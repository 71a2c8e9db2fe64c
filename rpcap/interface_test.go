package rpcap

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPreselectedDescription(t *testing.T) {
	for _, c := range []struct{ desc, want string }{
		{"", ";preselected"},
		{"uplink", "uplink ;preselected"},
		{strings.Repeat("d", 240), strings.Repeat("d", 240) + " ;preselected"},
		{strings.Repeat("d", 241), strings.Repeat("d", 240) + " ;preselected"},
		{strings.Repeat("d", 239) + "é", strings.Repeat("d", 239) + " ;preselected"},
	} {
		got := Description{Text: c.desc, Preselected: true}.String()
		if i := (Interface{Description: got}); got != c.want || !i.Preselected() || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q", c.desc, got)
		}
		if i := (Interface{Description: c.desc}); i.Preselected() {
			t.Errorf("%q counts as marked", c.desc)
		}
	}
}

// TestRecordedList reads the lists of both agents for what is known about the
// interface they were recorded with.
func TestRecordedList(t *testing.T) {
	for _, c := range []struct {
		session     string
		preselected bool
		families    []uint16
	}{
		{"eh-mtu1472", true, []uint16{FamilyLinkLayer, FamilyIPv4, FamilyIPv4, FamilyIPv6Linux, FamilyIPv6Linux}},
		{"eh-nopreselect", false, []uint16{FamilyLinkLayer, FamilyIPv4, FamilyIPv4, FamilyIPv6Linux, FamilyIPv6Linux}},
		{"up-udp", false, []uint16{FamilyIPv4, FamilyIPv4, FamilyIPv6, FamilyIPv6}},
	} {
		b := readFile(t, filepath.Join(vectors, c.session+".ctrl.agent-to-sensor.bin"))
		var list InterfaceList
		for len(b) > 0 {
			h, payload, n, err := splitMessage(b)
			if err != nil {
				t.Fatal(err)
			}
			if h.Type == TypeFindAllReply {
				if list, _, err = ParseInterfaceList(h.Value, payload); err != nil {
					t.Fatal(err)
				}
				if list.Size() != len(payload) || list.Len() != int(h.Value) {
					t.Errorf("%s: size %d of %d, %d of %d interfaces", c.session, list.Size(), len(payload), list.Len(), h.Value)
				}
			}
			b = b[n:]
		}
		interfaces := all(list)
		at := slices.IndexFunc(interfaces, func(i Interface) bool { return i.Name == "cap0" })
		if at < 0 {
			t.Fatalf("%s: no cap0", c.session)
		}
		cap0 := interfaces[at]
		if cap0.Preselected() != c.preselected || (c.preselected && at != 0) || cap0.Flags&InterfaceUp == 0 {
			t.Errorf("%s: cap0 is entry %d: %q, flags %#x", c.session, at, cap0.Description, cap0.Flags)
		}
		var families []uint16
		var addrs []string
		for i := range cap0.Addresses {
			a := &cap0.Addresses[i]
			families = append(families, a.Addr.Family())
			if ll, ok := a.Addr.LinkLayer(); ok {
				if ll.Addr.String() != "02:00:00:00:55:b2" || ll.HardwareType != 1 || ll.Index != 3 {
					t.Errorf("%s: link layer %+v", c.session, ll)
				}
				if b, ok := a.Broadcast.LinkLayer(); !ok || b.Addr.String() != "ff:ff:ff:ff:ff:ff" {
					t.Errorf("%s: link-layer broadcast %+v", c.session, b)
				}
				continue
			}
			addr, ok := a.Addr.Addr()
			mask, ok2 := a.Netmask.Addr()
			if !ok || !ok2 || !a.Peer.IsZero() || mask.Zone() != "" {
				t.Errorf("%s: address %d: %v %v %v", c.session, i, addr, mask, a.Peer.IsZero())
			}
			if addr.Is6() != a.Broadcast.IsZero() {
				t.Errorf("%s: broadcast of %v: zero %v", c.session, addr, a.Broadcast.IsZero())
			}
			addrs = append(addrs, addr.String()+" "+mask.String())
		}
		if !slices.Equal(families, c.families) {
			t.Errorf("%s: families %d, want %d", c.session, families, c.families)
		}
		for _, want := range []string{"192.0.2.20 255.255.255.128", "198.51.100.7 255.255.255.255", "2001:db8:55::20 ffff:ffff:ffff:ffff::"} {
			if !slices.Contains(addrs, want) {
				t.Errorf("%s: no %s in %q", c.session, want, addrs)
			}
		}
		if !slices.ContainsFunc(addrs, func(a string) bool { return strings.HasPrefix(a, "fe80::") && strings.Contains(a, "%3 ") }) {
			t.Errorf("%s: no link-local address with zone 3 in %q", c.session, addrs)
		}
	}
}

func TestInterfaceListLimits(t *testing.T) {
	long := strings.Repeat("x", 65536)
	l := NewInterfaceList(Interface{Name: long, Description: long, Flags: 0xffffffff, Addresses: make([]Address, 65536)})
	h, payload, _, err := splitMessage(l.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	l, _, err = ParseInterfaceList(h.Value, payload)
	if err != nil {
		t.Fatal(err)
	}
	if i := all(l)[0]; len(i.Name) != 65535 || len(i.Description) != 65535 || len(i.Addresses) != 65535 || i.Flags != 0xffffffff {
		t.Errorf("%d, %d, %d, %#x", len(i.Name), len(i.Description), len(i.Addresses), i.Flags)
	}
	l = NewInterfaceList(make([]Interface, 65536)...)
	if h, _, _, err := splitMessage(l.Append(nil)); err != nil || h.Value != 65535 || l.Len() != 65535 {
		t.Errorf("%+v, %d, %v", h, l.Len(), err)
	}
	if _, _, err := ParseInterfaceList(2, NewInterfaceList(Interface{}).entries); err == nil || !strings.Contains(err.Error(), "interface 2 of 2") {
		t.Errorf("one entry of two: %v", err)
	}
}

// TestInterfaceListKeepsNothing: the list does not change with the payload it was
// parsed from, and a consumer may stop early.
func TestInterfaceListKeepsNothing(t *testing.T) {
	payload := NewInterfaceList(Interface{Name: "eth0"}, Interface{Name: "eth1"}).Append(nil)[HeaderLen:]
	l, _, err := ParseInterfaceList(2, payload)
	if err != nil {
		t.Fatal(err)
	}
	clear(payload)
	var names []string
	for i := range l.All() {
		names = append(names, i.Name)
		break
	}
	if !slices.Equal(names, []string{"eth0"}) {
		t.Errorf("%q", names)
	}
}

func block(t *testing.T, s string) (b AddressBlock) {
	t.Helper()
	v, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	copy(b[:], v)
	return b
}

func TestAddressFamilies(t *testing.T) {
	for _, family := range []string{"0002", "1002", "1000"} {
		b := block(t, family+" 0000 c0000214")
		if a, ok := b.Addr(); !ok || a.String() != "192.0.2.20" {
			t.Errorf("family %s: %v, %v", family, a, ok)
		}
	}
	for _, family := range []string{"000a", "0016", "0017", "0018", "001a", "1c18", "1c1c", "1c1e", "1c00"} {
		b := block(t, family+" 0000 00000000 20010db8000000000000000000000001 00000007")
		if a, ok := b.Addr(); !ok || a.String() != "2001:db8::1" {
			t.Errorf("family %s: %v, %v", family, a, ok)
		}
		b = block(t, family+" 0000 00000000 fe800000000000000000000000000001 00000007")
		if a, ok := b.Addr(); !ok || a.String() != "fe80::1%7" {
			t.Errorf("family %s: %v, %v", family, a, ok)
		}
	}
	for _, family := range []string{"0000", "0001", "0011", "1c0a", "0200", "ffff"} {
		b := block(t, family+" 0000 c0000214 20010db8000000000000000000000001")
		if a, ok := b.Addr(); ok {
			t.Errorf("family %s: %v", family, a)
		}
	}
}

func TestLinkLayer(t *testing.T) {
	for _, c := range []struct {
		block, addr string
		index       uint32
		hardware    uint16
	}{
		{"0011 0000 03000000 0100 00 06 0200000055b2", "02:00:00:00:55:b2", 3, 1},
		{"0011 0000 00000003 0001 00 06 0200000055b2", "02:00:00:00:55:b2", 3, 1}, // a big-endian agent
		{"0011 0000 01000000 0403 00 06 000000000000", "00:00:00:00:00:00", 1, 772},
		{"0011 0000 00010000 0100 00 08 0102030405060708", "01:02:03:04:05:06:07:08", 256, 1},
		{"0011 0000 05000000 feff 00 00", "", 5, 65534}, // tun
	} {
		b := block(t, c.block)
		ll, ok := b.LinkLayer()
		if !ok || ll.Addr.String() != c.addr || ll.Index != c.index || ll.HardwareType != c.hardware {
			t.Errorf("%s: %+v, %v", c.block, ll, ok)
		}
	}
	for _, bad := range []string{"0011 0000 03000000 0100 00 09 0200000055b2", "0011 0000 03000000 0100 00 ff", "0002 0000 03000000 0100 00 06"} {
		b := block(t, bad)
		if ll, ok := b.LinkLayer(); ok {
			t.Errorf("%s: %+v", bad, ll)
		}
	}
}

func TestBlockBuilders(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.20"), netip.MustParseAddr("2001:db8::1")
	for _, c := range []struct {
		name      string
		got, want AddressBlock
	}{
		{"IPv4", IPv4Block(v4), block(t, "0002 0000 c0000214")},
		{"IPv4 in IPv6", IPv4Block(netip.MustParseAddr("::ffff:192.0.2.20")), block(t, "0002 0000 c0000214")},
		{"IPv6 as IPv4", IPv4Block(v6), AddressBlock{}},
		{"no address as IPv4", IPv4Block(netip.Addr{}), AddressBlock{}},
		{"IPv6", IPv6Block(v6, FamilyIPv6), block(t, "0017 0000 00000000 20010db8000000000000000000000001")},
		{"zone", IPv6Block(netip.MustParseAddr("fe80::1%7"), 10), block(t, "000a 0000 00000000 fe800000000000000000000000000001 00000007")},
		{"zone by name", IPv6Block(netip.MustParseAddr("fe80::1%eth0"), 10), block(t, "000a 0000 00000000 fe800000000000000000000000000001")},
		{"IPv4 as IPv6", IPv6Block(v4, 10), AddressBlock{}},
		{"no address as IPv6", IPv6Block(netip.Addr{}, 10), AddressBlock{}},
		{"link layer", LinkLayerBlock(3, 772, []byte{1, 2, 3, 4, 5, 6}), block(t, "0011 0000 03000000 0403 00 06 010203040506")},
		{"link layer of 20 bytes", LinkLayerBlock(3, 32, make([]byte, 20)), AddressBlock{}},
	} {
		if !bytes.Equal(c.got[:], c.want[:]) {
			t.Errorf("%s: % x", c.name, c.got[:32])
		}
	}
}
