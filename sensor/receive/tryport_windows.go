package receive

import (
	"net/netip"

	"rpcapd/udpsock"
)

// tryPort tells why a data port cannot be opened. The socket is not one of package net, which cannot make any under wine.
func tryPort(at netip.AddrPort) error {
	if !at.Addr().IsValid() {
		at = netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port())
	}
	sock, err := udpsock.Listen(at, udpsock.ListenOptions{Messages: 1, ReceiveBuffer: 64 << 10})
	if err != nil {
		return err
	}
	_ = sock.Close() // nothing was sent or received
	return nil
}
