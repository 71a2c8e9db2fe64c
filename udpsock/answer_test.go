package udpsock

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestAnswer: what a receiver sends back comes from its port, over both families and to a socket that is connected to it.
func TestAnswer(t *testing.T) {
	for _, tc := range []struct{ listen, dial string }{
		{"127.0.0.1", "127.0.0.1"}, {"::", "127.0.0.1"}, {"::", "::1"}, {"::1", "::1"},
	} {
		r, err := Listen(netip.AddrPortFrom(netip.MustParseAddr(tc.listen), 0), ListenOptions{})
		if err != nil {
			if tc.listen == "127.0.0.1" {
				t.Fatal(err)
			}
			t.Logf("no IPv6: %v", err)
			continue
		}
		defer r.Close()
		to := netip.AddrPortFrom(netip.MustParseAddr(tc.dial), r.Port())
		c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		if err != nil {
			t.Logf("%s cannot be reached: %v", to, err)
			continue
		}
		defer c.Close()
		if _, err := c.Write([]byte("ask")); err != nil {
			t.Fatal(err)
		}
		if n, err := r.Receive(time.Now().Add(10 * time.Second)); err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		src, b := r.Datagram(0)
		for _, from := range []netip.Addr{{}, to.Addr(), netip.IPv6Unspecified()} {
			if err := r.Answer(b, from, src); err != nil {
				t.Fatalf("%s from %v: %v", tc.listen, from, err)
			}
			buf := make([]byte, 100)
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(buf); err != nil || !bytes.Equal(buf[:n], []byte("ask")) {
				t.Errorf("%s from %v: %q, %v", tc.listen, from, buf[:n], err)
			}
		}
	}
}
