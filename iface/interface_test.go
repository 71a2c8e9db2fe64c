package iface

import (
	"net/netip"
	"testing"
)

func TestNetmask(t *testing.T) {
	for _, c := range []struct {
		addr   string
		prefix int
		want   string
	}{
		{"10.0.0.1", 24, "255.255.255.0"},
		{"10.0.0.1", 0, "0.0.0.0"},
		{"10.0.0.1", 32, "255.255.255.255"},
		{"fe80::1%3", 64, "ffff:ffff:ffff:ffff::"},
		{"::1", 128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"10.0.0.1", 33, ""},
		{"10.0.0.1", -1, ""},
	} {
		got := Address{Addr: netip.MustParseAddr(c.addr), Prefix: c.prefix}.Netmask()
		want := netip.Addr{}
		if c.want != "" {
			want = netip.MustParseAddr(c.want)
		}
		if got != want {
			t.Errorf("%s/%d: mask %v, want %v", c.addr, c.prefix, got, want)
		}
	}
	if m := (Address{}).Netmask(); m.IsValid() {
		t.Errorf("the zero address has the mask %v", m)
	}
}

func TestFlagsString(t *testing.T) {
	for f, want := range map[Flags]string{
		0:                                   "down",
		Up:                                  "up",
		Up | Running | Connected:            "up, running, connected",
		Up | Disconnected:                   "up, disconnected",
		Up | Running | Loopback | 0x30:      "up, running, loopback",
		Up | Running | Wireless | Connected: "up, running, wireless, connected",
	} {
		if got := f.String(); got != want {
			t.Errorf("%#x: %q, want %q", uint32(f), got, want)
		}
	}
}
