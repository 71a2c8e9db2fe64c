package iface

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Interface is one network interface as it was when it was listed.
type Interface struct {
	Index       int
	Name        string
	AltNames    []string // other names of the same interface: on Linux those of ip link property, on Windows friendly name and GUID
	Description string   // the interface's alias on Linux, friendly name and adapter on Windows, else empty
	Flags       Flags
	MTU         int // bytes, without the link-layer header

	Broadcast    bool // the interface can broadcast
	PointToPoint bool // the interface has one peer

	HardwareAddr      net.HardwareAddr // nil if the interface has none
	HardwareBroadcast net.HardwareAddr // nil unless Broadcast
	ARPType           uint16           // ARPHRD_…: 1 Ethernet, 772 loopback; 0 if the system does not say

	Addresses []Address // IPv4 first, then IPv6, each in the kernel's order
}

// Address is one IPv4 or IPv6 address of an interface. Parts that are absent are
// the zero netip.Addr; the package comment says when.
type Address struct {
	Addr      netip.Addr // link-local IPv6: with the interface index as zone
	Prefix    int        // bits
	Broadcast netip.Addr
	Peer      netip.Addr
}

// Netmask returns the mask of the prefix in the family of the address, zero if
// the prefix is out of range.
func (a Address) Netmask() netip.Addr {
	if a.Prefix < 0 || a.Prefix > a.Addr.BitLen() {
		return netip.Addr{}
	}
	var mask [16]byte
	n := a.Addr.BitLen() / 8
	copy(mask[:], net.CIDRMask(a.Prefix, a.Addr.BitLen()))
	m, _ := netip.AddrFromSlice(mask[:n])
	return m
}

// Named tells whether the interface has the name, as its own or as an alternative one.
// The system sees to it that no two interfaces share any name.
func (i *Interface) Named(name string) bool {
	return i.Name == name || slices.Contains(i.AltNames, name) || strings.HasPrefix(i.Name, npfPrefix) && i.namedOnWindows(name)
}

// Contains tells whether one of the interface's addresses lies in the network.
func (i *Interface) Contains(network netip.Prefix) bool {
	for _, a := range i.Addresses {
		if network.Contains(a.Addr.WithZone("").Unmap()) {
			return true
		}
	}
	return false
}

// List returns the interfaces of the calling thread's network namespace, best to
// capture on first. Errors are those of the system's interface tables.
func List() ([]Interface, error) {
	list, err := read()
	if err != nil {
		return nil, err
	}
	order(list)
	return list, nil
}
