//go:build !linux

package agent

import (
	"strconv"
	"syscall"
)

// errnoName is the number where names are not at hand.
func errnoName(errno syscall.Errno) string { return strconv.Itoa(int(errno)) }
