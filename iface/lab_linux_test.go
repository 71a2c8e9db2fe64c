package iface

import (
	"fmt"
	"testing"

	"github.com/vishvananda/netlink"

	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

// host is the namespace of the tests:
//
//	eth0 ── eth0p    veth, both up      eth0: several addresses, an alias
//	eth1 ── eth1p    veth, eth1p down   no link
//	down0 ── down0p  veth, both down
//	br0              bridge without ports, up; if the kernel has bridges
//	ifb0             up, its driver knows no link; if the kernel has it
//	tun0             point to point, up, with a peer, nobody reads it; if there is
//	                 /dev/net/tun
//	lo               up
func host(t *testing.T) *netlab.Namespace {
	t.Helper()
	lab := netlab.New(t)
	n := lab.Namespace("host")
	for _, name := range []string{"down0", "eth1", "eth0"} {
		lab.Veth(n, name, n, name+"p")
	}
	n.Down("down0")
	n.Down("down0p")
	n.Down("eth1p")
	n.AddAddr("eth0", "10.0.0.1/24")
	n.AddAddr("eth0", "10.0.0.5/24")
	n.AddAddr("eth0", "2001:db8::1/64")
	eth0 := n.Link("eth0")
	n.Must(func() error { return netlink.LinkSetAlias(eth0, "uplink") })
	n.Must(func() error {
		for _, l := range []netlink.Link{&netlink.Bridge{LinkAttrs: named("br0")}, &netlink.Ifb{LinkAttrs: named("ifb0")}} {
			if err := addLink(l); err != nil {
				t.Log(err)
			}
		}
		tun0 := &netlink.Tuntap{LinkAttrs: named("tun0"), Mode: netlink.TUNTAP_MODE_TUN}
		if err := addLink(tun0); err != nil {
			t.Log(err)
			return nil
		}
		a, err := netlink.ParseAddr("10.8.0.1/32")
		if err != nil {
			return err
		}
		peer, err := netlink.ParseAddr("10.8.0.2/32")
		if err != nil {
			return err
		}
		a.Peer = peer.IPNet
		return netlink.AddrAdd(tun0, a)
	})
	return n
}

func named(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

// addLink makes a link in the thread's namespace and sets it up.
func addLink(l netlink.Link) error {
	if err := netlink.LinkAdd(l); err != nil {
		return fmt.Errorf("add link %s: %w", l.Attrs().Name, err)
	}
	return netlink.LinkSetUp(l)
}
