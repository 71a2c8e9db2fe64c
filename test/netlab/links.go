package netlab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// Veth connects two namespaces by a virtual cable; both ends are up.
func (l *Lab) Veth(a *Namespace, aName string, b *Namespace, bName string) {
	l.t.Helper()
	link := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: aName, Namespace: netlink.NsFd(a.ns), TxQLen: 1000},
		PeerName:      bName,
		PeerNamespace: netlink.NsFd(b.ns),
	}
	if err := a.nl.LinkAdd(link); err != nil {
		l.t.Fatalf("make veth %s/%s - %s/%s: %v", a.Name, aName, b.Name, bName, err)
	}
	a.Up(aName)
	b.Up(bName)
}

// Link returns an interface.
func (n *Namespace) Link(name string) netlink.Link {
	n.lab.t.Helper()
	link, err := n.nl.LinkByName(name)
	if err != nil {
		n.lab.t.Fatalf("%s: find interface %s: %v", n.Name, name, err)
	}
	return link
}

func (n *Namespace) check(err error, format string, args ...any) {
	n.lab.t.Helper()
	if err != nil {
		n.lab.t.Fatalf("%s: %s: %v", n.Name, fmt.Sprintf(format, args...), err)
	}
}

// Up and Down switch an interface; Delete removes it.
func (n *Namespace) Up(name string) {
	n.lab.t.Helper()
	n.check(n.nl.LinkSetUp(n.Link(name)), "set %s up", name)
}

// Down switches an interface off.
func (n *Namespace) Down(name string) {
	n.lab.t.Helper()
	n.check(n.nl.LinkSetDown(n.Link(name)), "set %s down", name)
}

// Delete removes an interface (of a veth: both ends).
func (n *Namespace) Delete(name string) {
	n.lab.t.Helper()
	n.check(n.nl.LinkDel(n.Link(name)), "delete %s", name)
}

// SetMTU sets the MTU of an interface in bytes.
func (n *Namespace) SetMTU(name string, mtu int) {
	n.lab.t.Helper()
	n.check(n.nl.LinkSetMTU(n.Link(name), mtu), "set MTU of %s", name)
}

// MAC returns the hardware address of an interface.
func (n *Namespace) MAC(name string) net.HardwareAddr {
	n.lab.t.Helper()
	return n.Link(name).Attrs().HardwareAddr
}

// AddAddr adds an address, "10.0.0.1/24" or "fd00::1/64"; IPv6 ones can be used at
// once (no duplicate address detection).
func (n *Namespace) AddAddr(name, cidr string) {
	n.lab.t.Helper()
	a, err := netlink.ParseAddr(cidr)
	n.check(err, "parse %s", cidr)
	if a.IP.To4() == nil {
		a.Flags = 0x02 // IFA_F_NODAD
	}
	n.check(n.nl.AddrAdd(n.Link(name), a), "add %s to %s", cidr, name)
}

// DelAddr removes an address.
func (n *Namespace) DelAddr(name, cidr string) {
	n.lab.t.Helper()
	a, err := netlink.ParseAddr(cidr)
	n.check(err, "parse %s", cidr)
	n.check(n.nl.AddrDel(n.Link(name), a), "remove %s from %s", cidr, name)
}

// AddRoute adds a route through a gateway; destination "" is the default route.
func (n *Namespace) AddRoute(destination, gateway string) {
	n.lab.t.Helper()
	r := &netlink.Route{Gw: net.ParseIP(gateway)}
	if destination != "" {
		_, dst, err := net.ParseCIDR(destination)
		n.check(err, "parse %s", destination)
		r.Dst = dst
	}
	n.check(n.nl.RouteAdd(r), "route %s through %s", destination, gateway)
}

// AddVLAN makes an 802.1Q interface (802.1ad with ad) on top of another and sets it up.
func (n *Namespace) AddVLAN(parent, name string, id int, ad bool) {
	n.lab.t.Helper()
	v := &netlink.Vlan{
		LinkAttrs: netlink.LinkAttrs{Name: name, ParentIndex: n.Link(parent).Attrs().Index},
		VlanId:    id,
	}
	if ad {
		v.VlanProtocol = netlink.VLAN_PROTOCOL_8021AD
	}
	n.check(n.nl.LinkAdd(v), "make VLAN %d on %s", id, parent)
	n.Up(name)
}

// AddBridge makes a bridge of interfaces of the namespace and sets it up.
func (n *Namespace) AddBridge(name string, ports ...string) {
	n.lab.t.Helper()
	n.check(n.nl.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}), "make bridge %s", name)
	bridge := n.Link(name)
	for _, p := range ports {
		n.check(n.nl.LinkSetMaster(n.Link(p), bridge), "add %s to bridge %s", p, name)
	}
	n.Up(name)
}
