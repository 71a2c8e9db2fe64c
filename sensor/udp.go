package sensor

import (
	"errors"
	"net/netip"
	"syscall"

	"rpcapd/udpsock"
)

// openUDP binds a data port. Where there is no IPv6 at all, every address means every IPv4 address.
func openUDP(addr netip.AddrPort) (datagramSource, error) {
	r, err := udpsock.Listen(addr, udpsock.ListenOptions{})
	noIPv6 := errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
	if noIPv6 && addr.Addr() == netip.IPv6Unspecified() {
		r, err = udpsock.Listen(netip.AddrPortFrom(netip.IPv4Unspecified(), addr.Port()), udpsock.ListenOptions{})
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}
