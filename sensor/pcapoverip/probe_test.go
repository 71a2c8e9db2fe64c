package pcapoverip

import (
	"fmt"
	"net"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestProbes: who only looks whether the port is open takes no seat for longer than that, is counted and logged once. A
// client that closes its own direction and reads is no probe.
func TestProbes(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(*net.TCPConn) error
	}{
		{"close", (*net.TCPConn).Close},
		{"reset", func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			s := start(t, Options{Clients: 2, Log: zap.New(core), announce: time.Minute})
			f := s.attach("web", "eth0", 1)
			number := func(name string) uint64 {
				for _, d := range s.Status().Details {
					if d.Name == name {
						return d.Number
					}
				}
				t.Fatalf("no %s", name)
				return 0
			}
			const probes = 6
			for i := range probes {
				c, err := net.Dial("tcp", s.address())
				if err != nil {
					t.Fatal(err)
				}
				if err := tc.end(c.(*net.TCPConn)); err != nil {
					t.Fatal(err)
				}
				// No frame comes that would show that nobody reads.
				eventually(t, fmt.Sprintf("probe %d has left", i+1), func() bool {
					return number("clients") == 0 && number("clients that left at once") == uint64(i+1)
				})
			}
			if n := number("clients refused"); n != 0 {
				t.Errorf("%d clients refused", n)
			}
			half := dial(t, s.address())
			if err := half.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			ch := collect(half)
			s.streaming(1)
			time.Sleep(4 * resetEvery) // it is looked at, and stays
			f.Frame(ethernet(1, 80, 60))
			eventually(t, "the frame is sent", func() bool { return number("frames sent") == 1 })
			s.stop()
			if r := await(t, "the half-closed client", ch); len(r.records) != 1 {
				t.Errorf("%d frames", len(r.records))
			}
			lines := 0
			for _, l := range logs.All() {
				if l.Message != "listening for PCAP-over-IP clients" {
					lines++
				}
			}
			if lines != 3 { // the first probe; the client that came, and that has gone
				t.Errorf("%d lines of log: %v", lines, logs.All())
			}
		})
	}
}
