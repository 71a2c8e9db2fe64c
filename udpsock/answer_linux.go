package udpsock

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

func (r *Receiver) answer(b []byte, from netip.Addr, to netip.AddrPort) error {
	oob := r.packetInfo(from)
	a, err := sockaddr(to)
	if err == nil && !r.local.Addr().Is4() {
		a, err = sockaddr(netip.AddrPortFrom(mapped(to.Addr()), to.Port()))
	}
	if err != nil {
		return err
	}
	var sent error
	if err := r.raw.Control(func(fd uintptr) {
		sent = os.NewSyscallError("sendmsg", unix.Sendmsg(int(fd), b, oob, a, sendFlags))
	}); err != nil {
		return err
	}
	if sent != nil {
		return &net.OpError{Op: "write", Net: "udp", Source: r.conn.LocalAddr(), Addr: net.UDPAddrFromAddrPort(to), Err: sent}
	}
	return nil
}

// mapped is an address as a socket of both families takes it.
func mapped(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom16(a.As16())
	}
	return a
}

// packetInfo is the control message that chooses the source address.
func (r *Receiver) packetInfo(from netip.Addr) []byte {
	switch {
	case !from.IsValid() || from.IsUnspecified():
		return nil
	case r.local.Addr().Is4():
		return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.Unmap().As4()})
	}
	return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: mapped(from).As16()})
}
