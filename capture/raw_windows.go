package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/windows"

	"rpcapd/filter"
	"rpcapd/iface"
	"rpcapd/udpstr"
)

// OpenRaw captures the IP packets of an interface by raw sockets with SIO_RCVALL, without a capture driver: link type
// LinkTypeRaw. It needs an administrator. There are no link-layer headers, no ARP and no other protocols, the time stamps are those of
// reading, and what does not fit into the buffers of the sockets is lost without being counted.
func OpenRaw(o Options) (Source, error) {
	o = o.withDefaults()
	return openWindows(o, deviceTraits{frames: 1, retry: windowsRetry}, o.Retire, func() (device, error) { return openRawDevice(o) })
}

// rawBufferBytes holds the longest packet that has no offload.
const rawBufferBytes = 64 << 10

// rawDevice is one raw socket for each address family of an interface. It filters nothing itself.
type rawDevice struct {
	sockets []rawSocket
	next    int // socket to read first
	buf     []byte
	odd     uint32 // packets without their IP header
}

type rawSocket struct {
	fd   windows.Handle
	ipv4 bool
}

func openRawDevice(o Options) (device, error) {
	list, err := iface.List()
	if err != nil {
		return nil, err
	}
	i, found := (iface.Selector{Name: o.Interface}).First(list)
	if !found {
		return nil, ErrNoInterface
	}
	addresses := rawAddresses(&list[i])
	if len(addresses) == 0 {
		return nil, errors.New("it has no IP address, which capturing without a driver needs; install Npcap (https://npcap.com) instead")
	}
	d := &rawDevice{buf: make([]byte, rawBufferBytes)}
	for _, a := range addresses {
		s, err := openRawSocket(a, o)
		if err != nil && a.IsLinkLocalUnicast() && len(addresses) > 1 { // nothing of weight goes there
			continue
		}
		if err != nil {
			_ = d.close() // the first error counts
			return nil, fmt.Errorf("raw socket at %v: %w", a, err)
		}
		d.sockets = append(d.sockets, s)
	}
	return d, nil
}

// Of mstcpip.h.
const (
	ioctlReceiveAll     = 0x98000001 // SIO_RCVALL
	receiveAllOn        = 1          // in promiscuous mode
	receiveAllIPLevel   = 3          // what the IP layer sees
	ioctlNonBlocking    = 0x8004667e // FIONBIO
	optionIncludeHeader = 2          // IP_HDRINCL and IPV6_HDRINCL
)

var startWinsock = sync.OnceValue(func() error {
	var data windows.WSAData
	return os.NewSyscallError("WSAStartup", windows.WSAStartup(0x202, &data))
})

func openRawSocket(a netip.Addr, o Options) (s rawSocket, err error) {
	if err := startWinsock(); err != nil {
		return s, err
	}
	family, protocol, level := int32(windows.AF_INET), int32(windows.IPPROTO_IP), windows.IPPROTO_IP
	var at windows.Sockaddr = &windows.SockaddrInet4{}
	if a.Is4() {
		at = &windows.SockaddrInet4{Addr: a.As4()}
	} else {
		family, protocol, level = windows.AF_INET6, windows.IPPROTO_IPV6, windows.IPPROTO_IPV6
		zone, _ := strconv.ParseUint(a.Zone(), 10, 32) // 0 without one
		at = &windows.SockaddrInet6{Addr: a.As16(), ZoneId: uint32(zone)}
	}
	const flags = 0x01 | 0x80 // WSA_FLAG_OVERLAPPED, WSA_FLAG_NO_HANDLE_INHERIT
	fd, err := windows.WSASocket(family, windows.SOCK_RAW, protocol, nil, 0, flags)
	if errors.Is(err, windows.WSAEACCES) {
		return s, fmt.Errorf("Driver = raw needs an administrator: run the service as LocalSystem (rpcapd service install --account LocalSystem): %w", os.NewSyscallError("WSASocket", err))
	}
	if err != nil {
		return s, fmt.Errorf("this Windows has no such socket, so Driver = raw cannot work; install Npcap (https://npcap.com) and remove the line: %w", os.NewSyscallError("WSASocket", err))
	}
	defer func() {
		if err != nil {
			_ = windows.Closesocket(fd)
		}
	}()
	if err := windows.Bind(fd, at); err != nil {
		return s, os.NewSyscallError("bind", err)
	}
	if !a.Is4() {
		_ = windows.SetsockoptInt(fd, level, optionIncludeHeader, 1) // rawLength sees whether it has helped
	}
	_ = windows.SetsockoptInt(fd, windows.SOL_SOCKET, windows.SO_RCVBUF, o.RingBytes) // what the system gives must do
	mode := uint32(receiveAllIPLevel)
	if o.Promiscuous {
		mode = receiveAllOn
	}
	if err := ioctl(fd, ioctlReceiveAll, mode); err != nil {
		return s, fmt.Errorf("this Windows does not let a socket receive all packets; install Npcap (https://npcap.com) and remove Driver = raw: %w", os.NewSyscallError("ioctl SIO_RCVALL", err))
	}
	if err := ioctl(fd, ioctlNonBlocking, 1); err != nil {
		return s, os.NewSyscallError("ioctl FIONBIO", err)
	}
	return rawSocket{fd, a.Is4()}, nil
}

func ioctl(s windows.Handle, code, value uint32) error {
	var n uint32
	return windows.WSAIoctl(s, code, (*byte)(unsafe.Pointer(&value)), uint32(unsafe.Sizeof(value)), nil, 0, &n, nil, 0)
}

func (d *rawDevice) linkType() uint32                   { return LinkTypeRaw }
func (d *rawDevice) start([]bpf.RawInstruction) error   { return nil }
func (d *rawDevice) replace([]bpf.RawInstruction) error { return nil }
func (d *rawDevice) attached() bool                     { return true }
func (d *rawDevice) drops() (deviceDrops, error)        { return deviceDrops{iface: d.odd}, nil }

func (d *rawDevice) divide(p filter.Program) ([]bpf.RawInstruction, judge, error) {
	vm, err := machineOf(p)
	return nil, judge{vm: vm}, err
}

func (d *rawDevice) detach() bool {
	d.buf = make([]byte, rawBufferBytes)
	return true
}

// read asks the sockets in turn.
func (d *rawDevice) read(dst []udpstr.Frame, _ bool) (int, error) {
	for waiting := len(d.sockets); waiting > 0; {
		s := d.sockets[d.next]
		n, err := s.receive(d.buf)
		if errors.Is(err, windows.WSAEWOULDBLOCK) {
			d.next = (d.next + 1) % len(d.sockets)
			waiting--
			continue
		}
		if err != nil {
			return 0, lostError{os.NewSyscallError("WSARecv", err)}
		}
		length, whole := rawLength(d.buf[:n], s.ipv4)
		if !whole {
			d.odd++
			continue
		}
		now := time.Now()
		dst[0] = udpstr.Frame{Data: d.buf[:n], Len: uint32(length), Sec: uint32(now.Unix()), Usec: uint32(now.Nanosecond() / 1000)}
		return 1, nil
	}
	return 0, nil
}

func (s rawSocket) receive(buf []byte) (int, error) {
	b := windows.WSABuf{Len: uint32(len(buf)), Buf: &buf[0]}
	var n, flags uint32
	err := windows.WSARecv(s.fd, &b, 1, &n, &flags, nil, nil)
	if errors.Is(err, windows.WSAEMSGSIZE) { // longer than any packet without offload: the first 64 KiB of it
		return len(buf), nil
	}
	return int(n), err
}

func (d *rawDevice) close() error {
	for _, s := range d.sockets {
		_ = windows.Closesocket(s.fd) // nothing was sent
	}
	return nil
}
