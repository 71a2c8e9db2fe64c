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
	a, freeA := n.take(addr, "", "eth0")
	b, _ := n.take(addr, "", "eth0")
	c, _ := n.take(addr, "", "eth1")
	freeA()
	freeA()
	d, _ := n.take(addr, "", "eth0")
	e, _ := n.take(netip.MustParseAddr("10.0.0.3"), "mine", "eth0")
	if got := strings.Join([]string{a, b, c, d, e}, " "); got != "10.0.0.2 10.0.0.2#2 10.0.0.2 10.0.0.2 web" {
		t.Error(got)
	}
}

// TestNamesOfAgents: an agent is called what it wants, unless an Alias says otherwise or the name belongs to another. Nothing in
// it gives orders to a terminal, or passes for the name of another session or interface.
func TestNamesOfAgents(t *testing.T) {
	n := newNameTable(map[netip.Addr]string{netip.MustParseAddr("10.0.0.3"): "web"})
	addr := netip.MustParseAddr("10.0.0.2")
	for wanted, want := range map[string]string{
		"":                       "10.0.0.2",
		"node1":                  "node1",
		"node 1":                 "node 1",
		"ns/pod#2":               "ns_pod_2",
		"web":                    "10.0.0.2",
		"10.0.0.9":               "10.0.0.2",
		"fe80::1%eth0":           "10.0.0.2",
		"\x1b[31mred\n":          "?[31mred?",
		"\xff":                   "?",
		"  ":                     "10.0.0.2",
		strings.Repeat("x", 500): strings.Repeat("x", 128) + "…",
	} {
		if got := n.host(addr, wanted); got != want {
			t.Errorf("%q is called %q, want %q", wanted, got, want)
		}
	}
	if got := n.host(netip.MustParseAddr("10.0.0.3"), "node1"); got != "web" {
		t.Errorf("the Alias gives way to %q", got)
	}
	a, _ := n.take(addr, "node1", "eth0")
	b, free := n.take(netip.MustParseAddr("10.0.0.4"), "node1", "eth0")
	if free(); a != "node1" || b != "node1#2" || n.free(addr, "node1", "eth0") || !n.free(addr, "node1", "eth1") {
		t.Errorf("%q and %q", a, b)
	}
}
