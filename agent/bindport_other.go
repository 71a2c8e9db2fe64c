//go:build !unix

package agent

import (
	"net/netip"
	"syscall"
)

// bindPort leaves the port to connect, since package net of Windows takes no socket that is bound. The port is excluded as soon
// as the connection stands; until then the address and port of the sensor are.
func bindPort(netip.Addr, syscall.RawConn) uint16 { return 0 }
