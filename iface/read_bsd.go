//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package iface

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// ribTries bounds how often a table that changed while it was read is asked for again.
const ribTries = 4

// read takes links and addresses from the routing information base, in the kernel's order.
func read() ([]Interface, error) {
	messages, err := interfaceTable()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var links []routeLink
	var addrs []routeAddress
	for _, m := range messages {
		switch m := m.(type) {
		case *route.InterfaceMessage:
			links = append(links, linkOf(m))
		case *route.InterfaceAddrMessage:
			addrs = append(addrs, addressOf(m))
		}
	}
	list := routeInterfaces(links, addrs)
	addMedia(list)
	return list, nil
}

func interfaceTable() (messages []route.Message, err error) {
	for range ribTries {
		var rib []byte
		if rib, err = route.FetchRIB(unix.AF_UNSPEC, route.RIBTypeInterface, 0); err != nil {
			continue
		}
		if messages, err = route.ParseRIB(route.RIBTypeInterface, rib); err == nil {
			return messages, nil
		}
	}
	return nil, err
}

func linkOf(m *route.InterfaceMessage) routeLink {
	l := routeLink{index: m.Index, flags: m.Flags, name: m.Name}
	if a, ok := addrAt(m.Addrs, unix.RTAX_IFP).(*route.LinkAddr); ok {
		l.hardware = a.Addr
	}
	for _, s := range m.Sys() {
		if x, ok := s.(*route.InterfaceMetrics); ok {
			l.kind, l.mtu = x.Type, x.MTU
		}
	}
	return l
}

func addressOf(m *route.InterfaceAddrMessage) routeAddress {
	a := routeAddress{index: m.Index}
	a.addr, _ = internet(addrAt(m.Addrs, unix.RTAX_IFA))
	_, a.mask = internet(addrAt(m.Addrs, unix.RTAX_NETMASK))
	a.broadcast, _ = internet(addrAt(m.Addrs, unix.RTAX_BRD))
	return a
}

func addrAt(list []route.Addr, n int) route.Addr {
	if n >= len(list) {
		return nil
	}
	return list[n]
}

// internet is an IPv4 or IPv6 address and its bytes; the zero values for any other. The zone that the kernel keeps within
// a link-local address is out of its bytes already.
func internet(a route.Addr) (netip.Addr, []byte) {
	switch a := a.(type) {
	case *route.Inet4Addr:
		return netip.AddrFrom4(a.IP), a.IP[:]
	case *route.Inet6Addr:
		return netip.AddrFrom16(a.IP), a.IP[:]
	}
	return netip.Addr{}, nil
}

// addMedia asks for the connection status of each interface. What cannot be found out stays unknown.
func addMedia(list []Interface) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	unix.CloseOnExec(fd)
	for n := range list {
		if i := &list[n]; !i.Flags.Has(Loopback) {
			i.Flags |= media(fd, i.Name)
		}
	}
}

// media is the answer of the driver; one that has none cannot tell.
func media(fd int, name string) Flags {
	var request [64]byte // struct ifmediareq: 44 bytes on macOS, 48, 64 on OpenBSD
	if len(name) >= unix.IFNAMSIZ {
		return StatusUnknown
	}
	copy(request[:], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFMEDIA, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return NotApplicable
	}
	return mediaFlags(request[:], mediaWord)
}
