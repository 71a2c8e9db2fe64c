package udpsock

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// IP_DONTFRAGMENT and IPV6_DONTFRAG of ws2ipdef.h have the same value.
const optionDontFragment = 14

// setDontFragment makes a datagram beyond the path MTU an error.
func setDontFragment(network, _ string, c syscall.RawConn) error {
	level := windows.IPPROTO_IP
	if strings.HasSuffix(network, "6") {
		level = windows.IPPROTO_IPV6
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = windows.SetsockoptInt(windows.Handle(fd), level, optionDontFragment, 1)
	}); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt don't fragment", err)
}
