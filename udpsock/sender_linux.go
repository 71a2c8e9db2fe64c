package udpsock

import (
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

func (s *Sender) dial(o Options) (err error) {
	family := unix.AF_INET
	if s.ipv6() {
		family = unix.AF_INET6
	}
	s.fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	if err := s.setUp(o); err != nil {
		_ = unix.Close(s.fd)
		return err
	}
	s.call = kernel()
	s.super.build()
	s.batch.build()
	s.largest = ethernetMTU - s.headers()
	s.largest = s.maxDatagram()
	return nil
}

func (s *Sender) setUp(o Options) error {
	if err := s.setFragmentation(); err != nil {
		return err
	}
	s.sendBuffer = setBuffer(s.fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, o.SendBuffer)
	// Nothing is ever read here, so what the remote may send must not pile up: the kernel rounds up to its minimum.
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 0)
	if err := s.probeOffload(o.GSO); err != nil {
		return err
	}
	if o.Local.IsValid() {
		a, err := sockaddr(netip.AddrPortFrom(o.Local, 0))
		if err != nil {
			return err
		}
		if err := unix.Bind(s.fd, a); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	a, err := sockaddr(s.remote)
	if err != nil {
		return err
	}
	if err := unix.Connect(s.fd, a); err != nil {
		return os.NewSyscallError("connect", err)
	}
	own, err := unix.Getsockname(s.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	s.local = addrPort(own, s.remote.Addr().Zone())
	return nil
}

func (s *Sender) setFragmentation() error {
	level, option, value := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT
	if s.ipv6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
	}
	if s.dontFragment {
		value = unix.IP_PMTUDISC_DO // IPV6_PMTUDISC_DO and _DONT have the values of IPv4
	}
	return os.NewSyscallError("setsockopt MTU_DISCOVER", unix.SetsockoptInt(s.fd, level, option, value))
}

func (s *Sender) ipv6() bool { return s.remote.Addr().Is6() }

func (s *Sender) maxDatagram() int {
	if mtu, err := s.call.pathMTU(s.fd, s.ipv6()); err == nil {
		s.largest = max(1, min(mtu-s.headers(), MaxRunBytes))
	}
	return s.largest
}

func (s *Sender) close() error { return os.NewSyscallError("close", unix.Close(s.fd)) }
