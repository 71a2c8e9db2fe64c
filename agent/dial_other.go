//go:build !linux

package agent

import (
	"net/netip"
	"syscall"
)

// setUserTimeout does nothing where TCP_USER_TIMEOUT does not exist; keep-alive
// finds a dead peer all the same, later.
func setUserTimeout(_, _ string, _ syscall.RawConn) error { return nil }

// bindPort leaves the port to connect, since package net of Windows takes no socket that is bound. The port is excluded as soon
// as the connection stands; until then the address and port of the sensor are.
func bindPort(netip.Addr, syscall.RawConn) uint16 { return 0 }
