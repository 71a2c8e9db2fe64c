package udpsock

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/windows"
)

func (r *Receiver) answer(b []byte, _ netip.Addr, to netip.AddrPort) error {
	if !r.local.Addr().Is4() && to.Addr().Is4() {
		to = netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port())
	}
	a, err := sockaddr(to)
	if err != nil {
		return err
	}
	if err := windows.Sendto(r.fd, b, 0, a); err != nil { // the socket does not block
		return &net.OpError{Op: "write", Net: r.network, Source: net.UDPAddrFromAddrPort(r.local), Addr: net.UDPAddrFromAddrPort(to), Err: os.NewSyscallError("sendto", err)}
	}
	return nil
}
