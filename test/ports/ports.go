// Package ports gives tests ports that nobody takes before they are used.
//
// A port that was found free by binding port 0 is one of those that the kernel gives away: before a program that the test starts
// has bound it, a connection of this test or of the one beside it may have it. Ports of this package are below those.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Kernels give away ports from 32768 or 49152 on.
const first, last = 10000, 32767

// Free returns a port that is free for TCP and UDP. No other caller gets it until the test has ended, whatever process it is in:
// a listener on the port above it tells that it is taken.
func Free(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := first + 2*rand.IntN((last-first)/2)
		taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err != nil {
			continue
		}
		if !unused(port) {
			taken.Close()
			continue
		}
		t.Cleanup(func() { taken.Close() })
		return port
	}
	t.Fatalf("no port from %d to %d is free", first, last)
	return 0
}

// unused tells whether a port can be bound on all addresses.
func unused(port int) bool {
	address := fmt.Sprintf(":%d", port)
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	udp.Close()
	return true
}
