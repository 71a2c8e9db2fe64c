package udpsock

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sendSocket is a socket outside of Go's netpoller: sending never waits for it, and a short wait of the thread is cheaper
// than parking a goroutine that owns its thread.
type sendSocket struct {
	fd       int
	segments int // most datagrams of a super-packet, 1: no offload
	refused  int // runs in a row whose super-packets were refused
	largest  int // datagram that fits the path MTU, as last read

	inRow        int       // datagrams refused in a row with EPERM or EACCES
	refusedUntil time.Time // no try before, while all is refused

	call  systemCalls
	super superPacket
	batch messageBatch
}

// receiveSocket is the messages of recvmmsg, built once. Go's netpoller does the waiting, so that many receivers share few
// threads, and deadlines and Close work.
type receiveSocket struct {
	raw      syscall.RawConn
	messages []message
	vectors  []unix.Iovec
	names    []unix.RawSockaddrInet6 // large enough for IPv4 too
	controls []controlBuffer
	zones    map[uint32]string // names of interfaces; the receiving goroutine's

	read     func(fd uintptr) bool // made once, since a closure made each time would be an allocation
	most     int                   // messages to take with the next call
	received int
	errno    unix.Errno
}

// setBuffer asks for a socket buffer, beyond the system's limit if that is allowed (CAP_NET_ADMIN), and returns what was
// granted, 0 if that cannot be found out.
func setBuffer(fd, force, option, bytes int) int {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, bytes) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, bytes) // a large value is cut, not refused
	}
	granted, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
	if err != nil {
		return 0
	}
	return granted
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	switch ip := a.Addr(); {
	case ip.Is4():
		return &unix.SockaddrInet4{Addr: ip.As4(), Port: int(a.Port())}, nil
	case ip.Is6():
		zone, err := zoneIndex(ip.Zone())
		return &unix.SockaddrInet6{Addr: ip.As16(), Port: int(a.Port()), ZoneId: zone}, err
	default:
		return nil, fmt.Errorf("address %v: %w", a, net.InvalidAddrError("neither IPv4 nor IPv6"))
	}
}

// addrPort is the reverse of sockaddr; zone is what the zone is called.
func addrPort(sa unix.Sockaddr, zone string) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			ip = ip.WithZone(zone)
		}
		return netip.AddrPortFrom(ip, uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// zoneIndex returns the index of the interface that a zone names or is the number of.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index), nil
	}
	i, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("zone %q: no such interface", zone)
	}
	return uint32(i), nil
}

// networkOrder turns a 16-bit field in network byte order round.
func networkOrder(v uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], v)
	return binary.BigEndian.Uint16(b[:])
}
