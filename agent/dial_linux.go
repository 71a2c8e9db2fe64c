package agent

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setUserTimeout ends a connection whose peer has acknowledged nothing for
// userTimeout (TCP_USER_TIMEOUT, tcp(7)); keep-alive alone does not while data is
// in flight. A kernel that lacks it merely takes longer.
func setUserTimeout(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	})
}
