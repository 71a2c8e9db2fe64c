//go:build !linux

package agent

import (
	"net/netip"
	"syscall"
)

// setUserTimeout does nothing where TCP_USER_TIMEOUT does not exist; keep-alive
// finds a dead peer all the same, later.
func setUserTimeout(_, _ string, _ syscall.RawConn) error { return nil }

// bindPort leaves the port to connect: what is captured elsewhere than on Linux is a file.
func bindPort(netip.Addr, syscall.RawConn) uint16 { return 0 }
