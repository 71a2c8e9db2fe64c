//go:build unix

package pcapoverip

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// resetOf is the error that a connection has come to, nil if there is none. Behind the other end's FIN reading shows it
// no more (tcp_recvmsg in the kernel's net/ipv4/tcp.c).
func resetOf(conn net.Conn) error {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var errno int
	if controlErr := raw.Control(func(fd uintptr) { errno, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR) }); controlErr != nil {
		return controlErr // it is closed
	}
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	return err
}

// waiting says whether a read of a connection would return at once, with data, the end or an error. It takes nothing, not even the
// error.
func waiting(conn net.Conn) (yes bool) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		yes = err == nil && n > 0
	})
	return yes && err == nil
}
