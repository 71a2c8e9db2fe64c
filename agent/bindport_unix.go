//go:build unix

package agent

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// bindPort gives a socket that is about to connect a port of its own, so that the port is
// known before anything is sent. 0: none is free for all destinations; connect finds one
// that is for this.
func bindPort(to netip.Addr, c syscall.RawConn) (port uint16) {
	_ = c.Control(func(fd uintptr) {
		var any unix.Sockaddr = &unix.SockaddrInet4{}
		if !to.Unmap().Is4() {
			any = &unix.SockaddrInet6{}
		}
		if unix.Bind(int(fd), any) != nil {
			return
		}
		switch a, _ := unix.Getsockname(int(fd)); a := a.(type) {
		case *unix.SockaddrInet4:
			port = uint16(a.Port)
		case *unix.SockaddrInet6:
			port = uint16(a.Port)
		}
	})
	return port
}
