package address

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// keepAlive finds dead peers of connections on which nothing is asked for a while.
const keepAlive = 15 * time.Second

// ListenTCP listens on an address; the unspecified IPv6 address takes both families, and falls back to IPv4 where
// there is no IPv6.
func ListenTCP(addr netip.AddrPort) (*net.TCPListener, error) {
	lc := net.ListenConfig{KeepAlive: keepAlive}
	l, err := lc.Listen(context.Background(), Network("tcp", addr.Addr()), Listen(addr))
	if err != nil {
		return nil, ListenError(fmt.Sprintf("listen on TCP port %d", addr.Port()), addr, err)
	}
	return l.(*net.TCPListener), nil
}
