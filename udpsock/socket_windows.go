package udpsock

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/windows"
)

// Of ws2ipdef.h and mstcpip.h, which x/sys does not have.
const (
	optionDontFragment = 14 // IP_DONTFRAGMENT and IPV6_DONTFRAG
	optionMTU4         = 73 // IP_MTU
	optionMTU6         = 72 // IPV6_MTU
	optionSendMsgSize  = 2  // UDP_SEND_MSG_SIZE, since Windows 10 (2004)
	optionExclusive    = -5 // SO_EXCLUSIVEADDRUSE: ^SO_REUSEADDR

	ioctlNonBlocking  = 0x8004667e // FIONBIO
	ioctlConnReset    = 0x9800000c // SIO_UDP_CONNRESET
	ioctlNetReset     = 0x9800000f // SIO_UDP_NETRESET
	flagOverlapped    = 0x01       // WSA_FLAG_OVERLAPPED
	flagNoInheritance = 0x80       // WSA_FLAG_NO_HANDLE_INHERIT
)

// strangers is nothing here.
type strangers struct{}

func (strangers) close() {}

// startUp makes Winsock usable; package net does so only with its first socket.
var startUp = sync.OnceValue(func() error {
	var data windows.WSAData
	return os.NewSyscallError("WSAStartup", windows.WSAStartup(0x202, &data))
})

// newSocket makes a UDP socket that does not block. It is not one of package net, which cannot make any where an ioctl is
// missing (wine 10), and waits for each datagram in a goroutine of its own thread.
func newSocket(ipv6 bool) (windows.Handle, error) {
	if err := startUp(); err != nil {
		return 0, err
	}
	family := int32(windows.AF_INET)
	if ipv6 {
		family = windows.AF_INET6
	}
	s, err := windows.WSASocket(family, windows.SOCK_DGRAM, windows.IPPROTO_UDP, nil, 0, flagOverlapped|flagNoInheritance)
	if err != nil {
		return 0, os.NewSyscallError("WSASocket", err)
	}
	if err := control(s, ioctlNonBlocking, 1); err != nil {
		_ = windows.Closesocket(s)
		return 0, os.NewSyscallError("ioctl FIONBIO", err)
	}
	// An ICMP message about one datagram must not fail the next receive. Systems that lack these have no such errors.
	_ = control(s, ioctlConnReset, 0)
	_ = control(s, ioctlNetReset, 0)
	return s, nil
}

func control(s windows.Handle, code uint32, value uint32) error {
	in := [4]byte{byte(value)}
	var n uint32
	return windows.WSAIoctl(s, code, &in[0], uint32(len(in)), nil, 0, &n, nil, 0)
}

// setBuffer asks for a socket buffer and returns what was granted, 0 if that cannot be found out.
func setBuffer(s windows.Handle, option, bytes int) int {
	_ = windows.SetsockoptInt(s, windows.SOL_SOCKET, option, bytes) // what the system gives must do
	granted, err := windows.GetsockoptInt(s, windows.SOL_SOCKET, option)
	if err != nil {
		return 0
	}
	return granted
}

// level is that of the IP options of a socket.
func level(ipv6 bool) int {
	if ipv6 {
		return windows.IPPROTO_IPV6
	}
	return windows.IPPROTO_IP
}

func sockaddr(a netip.AddrPort) (windows.Sockaddr, error) {
	switch ip := a.Addr(); {
	case ip.Is4():
		return &windows.SockaddrInet4{Addr: ip.As4(), Port: int(a.Port())}, nil
	case ip.Is6():
		zone, err := zoneIndex(ip.Zone())
		return &windows.SockaddrInet6{Addr: ip.As16(), Port: int(a.Port()), ZoneId: zone}, err
	default:
		return nil, fmt.Errorf("address %v: %w", a, net.InvalidAddrError("neither IPv4 nor IPv6"))
	}
}

// localAddr is what a socket is bound to; zone is what the zone is called.
func localAddr(s windows.Handle, zone string) (netip.AddrPort, error) {
	own, err := windows.Getsockname(s)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError("getsockname", err)
	}
	switch own := own.(type) {
	case *windows.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(own.Addr), uint16(own.Port)), nil
	case *windows.SockaddrInet6:
		ip := netip.AddrFrom16(own.Addr)
		if own.ZoneId != 0 {
			ip = ip.WithZone(zone)
		}
		return netip.AddrPortFrom(ip, uint16(own.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("getsockname: %w", windows.WSAEAFNOSUPPORT)
}

// zoneIndex returns the index of the interface that a zone names or is the number of.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if i, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(i), nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("zone %q: no such interface", zone)
	}
	return uint32(i.Index), nil
}

// zoneName is what package net calls the zone of an interface.
func zoneName(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(index), 10)
}
