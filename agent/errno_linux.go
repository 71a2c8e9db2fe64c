package agent

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// errnoName is the name that programmers and manual pages use.
func errnoName(errno syscall.Errno) string {
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return strconv.Itoa(int(errno))
}
