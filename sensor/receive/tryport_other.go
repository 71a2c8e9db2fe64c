//go:build !windows

package receive

import (
	"net"
	"net/netip"

	"rpcapd/sensor/address"
)

// tryPort tells why a data port cannot be opened.
func tryPort(at netip.AddrPort) error {
	conn, err := net.ListenPacket(address.Network("udp", at.Addr()), address.Listen(at))
	if err != nil {
		return err
	}
	_ = conn.Close() // nothing was sent or received
	return nil
}
