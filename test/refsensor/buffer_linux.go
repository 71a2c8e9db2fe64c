package refsensor

import (
	"net"
	"syscall"
)

// soReceiveBufferForce is SO_RCVBUFFORCE of socket(7): beyond rmem_max, for root only.
const soReceiveBufferForce = 33

func enlarge(c *net.UDPConn, size int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	forced := false
	err = raw.Control(func(fd uintptr) {
		forced = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReceiveBufferForce, size) == nil
	})
	if err != nil || forced {
		return err
	}
	return c.SetReadBuffer(size)
}
