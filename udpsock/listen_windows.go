package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// listenSocket is a socket that does not block, and the events for which the receiving goroutine waits.
type listenSocket struct {
	fd     windows.Handle
	ready  windows.Handle // the socket has something
	closed windows.Handle // set by Close, stays

	using sync.Mutex // held by Receive: what it uses is closed after it
	ended bool       // guarded by using
}

// receiveSocket is what belongs to the receiving goroutine.
type receiveSocket struct {
	network string // for errors
	from    windows.RawSockaddrAny
	zones   map[uint32]string // names of interfaces
}

func (r *Receiver) listen(addr netip.AddrPort, o ListenOptions) (err error) {
	ip := addr.Addr()
	r.network = "udp6"
	if ip.Is4() {
		r.network = "udp4"
	}
	defer func() {
		if err != nil {
			_ = r.free() // the first error counts
			err = &net.OpError{Op: "listen", Net: r.network, Addr: net.UDPAddrFromAddrPort(addr), Err: err}
		}
	}()
	if o.GRO == On {
		return fmt.Errorf("receive offload: %w", errors.ErrUnsupported)
	}
	if r.fd, err = newSocket(!ip.Is4()); err != nil {
		return err
	}
	if err := r.bind(addr); err != nil {
		return err
	}
	r.granted = setBuffer(r.fd, windows.SO_RCVBUF, o.ReceiveBuffer)
	if r.ready, err = windows.CreateEvent(nil, 0, 0, nil); err != nil {
		return os.NewSyscallError("CreateEvent", err)
	}
	if r.closed, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return os.NewSyscallError("CreateEvent", err)
	}
	if err := eventSelect(r.fd, r.ready); err != nil {
		return err
	}
	r.batch = newBatch(o.Messages)
	r.zones = make(map[uint32]string)
	return nil
}

// bind takes the port for this socket alone.
func (r *Receiver) bind(addr netip.AddrPort) error {
	if err := windows.SetsockoptInt(r.fd, windows.SOL_SOCKET, optionExclusive, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_EXCLUSIVEADDRUSE", err)
	}
	if addr.Addr() == netip.IPv6Unspecified() {
		if err := windows.SetsockoptInt(r.fd, windows.IPPROTO_IPV6, windows.IPV6_V6ONLY, 0); err != nil {
			return os.NewSyscallError("setsockopt IPV6_V6ONLY", err)
		}
	}
	a, err := sockaddr(addr)
	if err != nil {
		return err
	}
	if err := windows.Bind(r.fd, a); err != nil {
		return os.NewSyscallError("bind", err)
	}
	r.local, err = localAddr(r.fd, addr.Addr().Zone())
	return err
}

// setDeadline has nothing to do: receive looks at it.
func (r *Receiver) setDeadline(time.Time) error { return nil }

func (r *Receiver) closeSocket() error {
	_ = windows.SetEvent(r.closed) // a valid handle: it cannot fail
	r.using.Lock()
	defer r.using.Unlock()
	r.ended = true
	return r.free()
}

// free closes what there is.
func (r *Receiver) free() (err error) {
	if r.fd != 0 {
		err = os.NewSyscallError("closesocket", windows.Closesocket(r.fd))
	}
	for _, h := range []windows.Handle{r.ready, r.closed} {
		if h != 0 {
			_ = windows.CloseHandle(h)
		}
	}
	return err
}

var wsaEventSelect = windows.NewLazySystemDLL("ws2_32.dll").NewProc("WSAEventSelect")

// eventSelect has the event set when the socket can be read, again each time that a receive has found nothing.
func eventSelect(s, event windows.Handle) error {
	const fdRead = 1
	if r, _, err := wsaEventSelect.Call(uintptr(s), uintptr(event), fdRead); r != 0 {
		return os.NewSyscallError("WSAEventSelect", err)
	}
	return nil
}

func (receiveSocket) pollDrops() {} // nobody tells

// source is where the last datagram came from.
func (r *Receiver) source() netip.AddrPort {
	if r.from.Addr.Family == windows.AF_INET {
		a := (*windows.RawSockaddrInet4)(unsafe.Pointer(&r.from))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), swapped(a.Port))
	}
	a := (*windows.RawSockaddrInet6)(unsafe.Pointer(&r.from))
	ip := netip.AddrFrom16(a.Addr).Unmap()
	if a.Scope_id != 0 && ip.Is6() {
		name, known := r.zones[a.Scope_id]
		if !known {
			name = zoneName(a.Scope_id)
			r.zones[a.Scope_id] = name
		}
		ip = ip.WithZone(name)
	}
	return netip.AddrPortFrom(ip, swapped(a.Port))
}

// swapped turns a port in network byte order round; Windows runs on little-endian machines only.
func swapped(port uint16) uint16 { return port<<8 | port>>8 }
