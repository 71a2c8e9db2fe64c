package netlab

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// readyLimit bounds how long the kernel may take to notice that a cable is plugged in.
const readyLimit = 30 * time.Second

// until polls a condition that the kernel brings about by itself.
func (n *Namespace) until(what string, ok func() bool) {
	n.lab.t.Helper()
	for limit := time.Now().Add(readyLimit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			n.lab.t.Fatalf("%s: %s: not within %v", n.Name, what, readyLimit)
		}
	}
}

// Veth connects two namespaces by a virtual cable; both ends are up and can send.
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
	a.until(aName+" has a carrier", func() bool { return a.running(aName) })
	b.until(bName+" has a carrier", func() bool { return b.running(bName) })
}

func (n *Namespace) running(name string) bool {
	n.lab.t.Helper()
	return n.Link(name).Attrs().OperState == netlink.OperUp
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

// Up switches an interface on.
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

// AddAddr adds an address, "10.0.0.1/24" or "fd00::1/64"; on an interface that has a
// carrier an IPv6 one can be used at once, without duplicate address detection.
func (n *Namespace) AddAddr(name, cidr string) {
	n.lab.t.Helper()
	a, err := netlink.ParseAddr(cidr)
	n.check(err, "parse %s", cidr)
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	n.check(n.nl.AddrAdd(n.Link(name), a), "add %s to %s", cidr, name)
	if a.IP.To4() == nil && n.running(name) {
		n.until(cidr+" can be used", func() bool { return n.answers(name, a.IP) })
	}
}

// answers says whether the kernel listens to neighbour solicitations for an IPv6
// address. Even without duplicate address detection that begins a moment after the
// address was added; it shows as a membership of the group ff02::1:ff00:0/104.
func (n *Namespace) answers(name string, ip net.IP) bool {
	n.lab.t.Helper()
	var groups []byte
	n.Must(func() (err error) {
		groups, err = os.ReadFile("/proc/thread-self/net/igmp6")
		return err
	})
	want := fmt.Sprintf("ff0200000000000000000001ff%x", []byte(ip.To16()[13:]))
	for line := range strings.Lines(string(groups)) {
		f := strings.Fields(line) // index, interface, group, ...
		if len(f) > 2 && f[1] == name && f[2] == want {
			return true
		}
	}
	return false
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

// AddVLAN makes an 802.1Q interface (802.1ad with ad) on top of another and sets it
// up. The error says why there is none: the kernel needs its 8021q module.
func (n *Namespace) AddVLAN(parent, name string, id int, ad bool) error {
	n.lab.t.Helper()
	v := &netlink.Vlan{
		LinkAttrs: netlink.LinkAttrs{Name: name, ParentIndex: n.Link(parent).Attrs().Index},
		VlanId:    id,
	}
	if ad {
		v.VlanProtocol = netlink.VLAN_PROTOCOL_8021AD
	}
	if err := n.nl.LinkAdd(v); err != nil {
		return fmt.Errorf("%s: make VLAN %d on %s: %w", n.Name, id, parent, err)
	}
	n.Up(name)
	return nil
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
