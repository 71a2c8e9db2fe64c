package control

import (
	"net/netip"
	"strings"
	"testing"
)

// TestNames: sessions with the same agent address and interface get different names; a name is free again at the end.
func TestNames(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.2")
	n := newNameTable(map[netip.Addr]string{netip.MustParseAddr("10.0.0.3"): "web"})
	a, freeA := n.take(addr, "eth0")
	b, _ := n.take(addr, "eth0")
	c, _ := n.take(addr, "eth1")
	freeA()
	freeA()
	d, _ := n.take(addr, "eth0")
	e, _ := n.take(netip.MustParseAddr("10.0.0.3"), "eth0")
	if got := strings.Join([]string{a, b, c, d, e}, " "); got != "10.0.0.2 10.0.0.2#2 10.0.0.2 10.0.0.2 web" {
		t.Error(got)
	}
}
