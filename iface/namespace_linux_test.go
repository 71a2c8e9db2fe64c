package iface

import (
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// inNamespace puts the test's goroutine, on a thread of its own, into a new
// network namespace until the test ends.
func inNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	before, err := netns.Get()
	if err == nil {
		var made netns.NsHandle
		if made, err = netns.New(); err == nil {
			t.Cleanup(func() {
				made.Close()
				if netns.Set(before) == nil {
					before.Close()
					runtime.UnlockOSThread()
				} // else the thread ends with the goroutine
			})
			return
		}
	}
	if os.Getenv("REQUIRE_ROOT") == "1" {
		t.Fatalf("make network namespace: %v", err)
	}
	t.Skipf("make network namespace: %v", err)
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func addLink(t *testing.T, l netlink.Link) {
	t.Helper()
	must(t, "add link "+l.Attrs().Name, netlink.LinkAdd(l))
}

func named(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

func setUp(t *testing.T, name string) {
	t.Helper()
	l, err := netlink.LinkByName(name)
	must(t, "find "+name, err)
	must(t, "set up "+name, netlink.LinkSetUp(l))
}

func addAddr(t *testing.T, name, text, peer string) {
	t.Helper()
	l, err := netlink.LinkByName(name)
	must(t, "find "+name, err)
	a, err := netlink.ParseAddr(text)
	must(t, "read "+text, err)
	if peer != "" {
		p, err := netlink.ParseAddr(peer)
		must(t, "read "+peer, err)
		a.Peer = p.IPNet
	}
	must(t, "add "+text, netlink.AddrAdd(l, a))
}

// lab is the namespace of the tests:
//
//	eth0 ── eth0p    veth, both up      eth0: several addresses, an alias
//	eth1 ── eth1p    veth, eth1p down   no link
//	down0 ── down0p  veth, both down
//	br0              bridge without ports, up; if the kernel has bridges
//	ifb0             up, its driver knows no link; if the kernel has it
//	tun0             point to point, up, with a peer; nobody reads it
//	lo               up
func lab(t *testing.T) {
	t.Helper()
	inNamespace(t)
	addLink(t, &netlink.Veth{LinkAttrs: named("down0"), PeerName: "down0p"})
	addLink(t, &netlink.Veth{LinkAttrs: named("eth1"), PeerName: "eth1p"})
	addLink(t, &netlink.Tuntap{LinkAttrs: named("tun0"), Mode: netlink.TUNTAP_MODE_TUN})
	addLink(t, &netlink.Veth{LinkAttrs: named("eth0"), PeerName: "eth0p"})
	up := []string{"lo", "eth0", "eth0p", "eth1", "tun0"}
	for _, l := range []netlink.Link{&netlink.Bridge{LinkAttrs: named("br0")}, &netlink.Ifb{LinkAttrs: named("ifb0")}} {
		if err := netlink.LinkAdd(l); err != nil {
			t.Logf("add link %s: %v", l.Attrs().Name, err)
			continue
		}
		up = append(up, l.Attrs().Name)
	}
	for _, name := range up {
		setUp(t, name)
	}
	eth0, err := netlink.LinkByName("eth0")
	must(t, "find eth0", err)
	must(t, "set alias", netlink.LinkSetAlias(eth0, "uplink"))
	addAddr(t, "eth0", "10.0.0.1/24", "")
	addAddr(t, "eth0", "10.0.0.5/24", "")
	addAddr(t, "eth0", "2001:db8::1/64", "")
	addAddr(t, "tun0", "10.8.0.1/32", "10.8.0.2/32")
}
