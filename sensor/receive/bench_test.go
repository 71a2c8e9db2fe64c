package receive

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"rpcapd/sensor/sink"
)

// BenchmarkReceive is the path of a frame from the datagram to the file's buffer, as the port's goroutine walks it.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{64, 512, 1514} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := testPort()
			src := sink.Source{Host: "10.0.0.2", Agent: netip.MustParseAddr("10.0.0.2"), Interface: "eth0", LinkType: 1, Snaplen: 65535}
			s := newStream(src, testLimits)
			file := newCaptureFile("nowhere", io.Discard)
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error)
			go func() { done <- file.Run(ctx) }()
			s.feeds = attached(file)
			p.add(s)
			const frames = 4096
			d := packedFrames(b, frames, size)
			from := netip.MustParseAddrPort("10.0.0.2:5000")
			var seq uint32
			n := 0
			b.SetBytes(int64(size))
			b.ReportAllocs()
			batch := make([]fakeDatagram, 0, 44)
			now := time.Now()
			b.ResetTimer()
			for n < b.N {
				batch = batch[:0]
				for range 44 {
					i := int(seq) % len(d)
					if i == 0 && seq > 0 { // the same frames again, as a new capture
						p.with(func() { s.begin(formatUDPStr) })
						seq, s.nextSeq = 0, 0
					}
					batch = append(batch, fakeDatagram{from, d[i]})
					seq++
					if i == len(d)-1 {
						n += frames
						break
					}
				}
				p.sock.(*fakeSocket).last = batch
				p.batch(len(batch), now)
			}
			b.StopTimer()
			cancel()
			<-done
			if c := s.received(); c.Lost != 0 {
				b.Errorf("%+v", c)
			}
		})
	}
}

func packedFrames(b *testing.B, n, size int) [][]byte {
	frames := testFrames(n, size)
	for i := range frames {
		frames[i].Data = frames[i].Data[:size]
		frames[i].Len = uint32(size)
	}
	return packed(b, frames, 1472)
}
