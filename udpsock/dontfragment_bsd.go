//go:build darwin || freebsd

package udpsock

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// setDontFragment makes a datagram beyond the path MTU an error.
func setDontFragment(network, _ string, c syscall.RawConn) error {
	level, option := unix.IPPROTO_IP, unix.IP_DONTFRAG
	if strings.HasSuffix(network, "6") {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG
	}
	var err error
	if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, option, 1) }); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt don't fragment", err)
}
