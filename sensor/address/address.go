package address

import (
	"net"
	"net/netip"
	"strconv"
)

// Network is "tcp" or "udp" for the unspecified IPv6 address, that is both families, else the address's own.
func Network(proto string, addr netip.Addr) string {
	switch {
	case addr == netip.IPv6Unspecified() || !addr.IsValid():
		return proto
	case addr.Unmap().Is4():
		return proto + "4"
	}
	return proto + "6"
}

// Listen is the address as net.Listen takes it.
func Listen(addr netip.AddrPort) string {
	if a := addr.Addr(); a == netip.IPv6Unspecified() || !a.IsValid() {
		return ":" + strconv.Itoa(int(addr.Port()))
	}
	return addr.String()
}

// Plain is an address without zone and without the IPv4-in-IPv6 form, fit to be compared.
func Plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// OfTCP is the address of a TCP endpoint in comparable form.
func OfTCP(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(Plain(ap.Addr()), ap.Port())
	}
	return netip.AddrPort{}
}
