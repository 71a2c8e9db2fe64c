package filter

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// BenchmarkPrefix measures in the kernel what the prefix costs a frame that it lets
// pass. It stands there many times in a row, so that the cost of the socket does not
// hide it, and that is taken off.
func BenchmarkPrefix(b *testing.B) {
	const (
		copies = 12
		chunk  = 500 // frames between two looks at the clock
	)
	ex := Exclusion{Endpoints: []Endpoint{{Addr: netip.MustParseAddr(sensor4), Control: 2003, Data: []uint16{2010}}}}
	plain, err := exclude(linkEthernet, ex)
	if err != nil {
		b.Fatal(err)
	}
	ex.Near = Near{Addrs: []netip.Addr{netip.MustParseAddr(other4), netip.MustParseAddr(other6)}, TCP: []uint16{33001}, UDP: []uint16{33002}}
	near, err := exclude(linkEthernet, ex)
	if err != nil {
		b.Fatal(err)
	}
	refuse := []bpf.RawInstruction{{Op: opRetK}} // what is not delivered need not be read
	payload := make([]byte, 18)
	for _, c := range []struct {
		name string
		p    packet
	}{
		{"TCP", packet{src: other4, dst: "203.0.113.4", proto: 6, sport: 40000, dport: 443, payload: payload}},
		{"UDP", packet{src: other4, dst: "203.0.113.4", proto: 17, sport: 40000, dport: 443, payload: payload}},
		{"UDP to a sensor's port", packet{src: other4, dst: "203.0.113.4", proto: 17, sport: 40000, dport: 2010, payload: payload}},
		{"TCP IPv6", packet{src: other6, dst: near6, proto: 6, sport: 40000, dport: 443, payload: payload}},
		{"UDP IPv6", packet{src: other6, dst: near6, proto: 17, sport: 40000, dport: 443, payload: payload}},
		{"UDP tagged", packet{src: other4, dst: "203.0.113.4", proto: 17, sport: 40000, dport: 443, payload: payload, tags: []uint16{typeTag}}},
	} {
		frame := c.p.ethernet()
		b.Run(c.name, func(b *testing.B) {
			bare, full := newKernelSocket(b), newKernelSocket(b)
			if err := bare.attach(refuse); err != nil {
				b.Fatal(err)
			}
			if err := full.attach(append(slices.Repeat(plain, copies), refuse...)); err != nil {
				b.Fatal(err)
			}
			both := newKernelSocket(b)
			if err := both.attach(append(slices.Repeat(near, copies), refuse...)); err != nil {
				b.Fatal(err)
			}
			// The best of many turns: whatever else the machine does only adds.
			best := [3]time.Duration{time.Hour, time.Hour, time.Hour}
			for range max(b.N/chunk, 2) {
				for i, k := range []*kernelSocket{bare, full, both} {
					begin := time.Now()
					for range chunk {
						if _, err := unix.Write(k.send, frame); err != nil {
							b.Fatal(err)
						}
					}
					best[i] = min(best[i], time.Since(begin))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(best[1]-best[0])/chunk/copies, "ns/frame")
			b.ReportMetric(float64(best[2]-best[0])/chunk/copies, "ns/frame-near")
		})
	}
}
