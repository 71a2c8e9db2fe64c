//go:build !linux

package refsensor

import "net"

func enlarge(c *net.UDPConn, size int) error { return c.SetReadBuffer(size) }
