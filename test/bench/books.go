package main

import "fmt"

// books says which numbers of a run do not add up. ip is what the agent's host sent
// through IP meanwhile, as the kernel counted it.
func (f *flow) books(received uint64, ip ipTraffic) (wrong []string) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	must(received+f.LinkLost == f.Sent, "%d frames were sent, %d reached the filter", f.Sent, received)
	must(received == f.RingDrops+f.Captured, "%d frames reached the filter, not %d dropped + %d captured", received, f.RingDrops, f.Captured)
	must(f.Packed == f.Captured, "%d frames were captured, %d packed", f.Captured, f.Packed)
	must(f.RingDrops+f.LinkLost > 0 || f.CapturedBytes == f.SentBytes, "%d bytes were sent, %d captured", f.SentBytes, f.CapturedBytes)
	if f.SendDropped == 0 {
		const frameHeader, datagramHeader = 20, 8
		want := f.CapturedBytes + frameHeader*f.Packed + datagramHeader*f.Datagrams
		must(f.ExportedBytes == want, "%d bytes of payload were sent, the frames and headers have %d", f.ExportedBytes, want)
	}
	// A send is one packet to IP, or as many as it has datagrams where offload is off. The
	// control connection adds a few, with headers of up to 72 bytes more.
	const headers, control = 20 + 8, 100
	payload := int64(ip.octets) - headers*int64(ip.packets)
	more := payload - int64(f.ExportedBytes)
	must(more >= 0 && more < control*1500, "%d bytes of payload were sent, the kernel counted %d", f.ExportedBytes, payload)
	must(ip.packets >= f.Sends, "%d sends, the kernel counted %d", f.Sends, ip.packets)
	return wrong
}

// ipTraffic is packets that IP sent, of which a super-packet is one with one header.
type ipTraffic struct{ packets, octets uint64 }

// books says which numbers of a run to the sensor do not add up.
func (p *path) books() (wrong []string) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	must(p.Bad == 0, "%d frames arrived damaged", p.Bad)
	must(p.Disordered == 0, "%d frames arrived out of order or twice", p.Disordered)
	must(p.Packed == p.Intact+p.Bad+p.Missing, "%d frames were packed, not %d intact + %d damaged + %d missing", p.Packed, p.Intact, p.Bad, p.Missing)
	must(p.Lost+p.SendDropped > 0 || p.Missing == 0, "no datagram was lost, %d frames are missing", p.Missing)
	return wrong
}
