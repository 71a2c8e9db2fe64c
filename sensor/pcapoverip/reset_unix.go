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

// waiting says whether a read of a connection would return at once, be it with data or with the end. It takes nothing.
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
		_, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		yes = err != unix.EAGAIN && err != unix.EINTR
	})
	return yes && err == nil
}
