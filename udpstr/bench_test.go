package udpstr

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// The benchmarks run over memory laid out as a TPACKET_V3 ring of 16 blocks of 1 MiB, and read the header of each frame from
// it before the block is packed, as the capture does: what costs most is that the ring is read cold.
const (
	ringBlocks     = 16
	ringBlock      = 1 << 20
	ringFrameHead  = 82 // struct tpacket3_hdr, struct sockaddr_ll, and room for the link header to be aligned
	ringBlockHead  = 48
	ringFrameAlign = 8
)

// benchRing is such a ring, filled.
type benchRing struct {
	mem    []byte
	counts [ringBlocks]int
	frames []Frame // of the block read last
}

// benchSizes gives lengths of frames by name.
var benchSizes = map[string]func(*rand.Rand) int{
	"64":   func(*rand.Rand) int { return 64 },
	"imix": imixLength,
	"1514": func(*rand.Rand) int { return 1514 },
}

// imixLength draws from the simple IMIX: 7 small, 4 medium, 1 large.
func imixLength(rng *rand.Rand) int {
	switch n := rng.IntN(12); {
	case n < 7:
		return 64
	case n < 11:
		return 594
	}
	return 1514
}

func newBenchRing(length func(*rand.Rand) int) *benchRing {
	r := &benchRing{mem: make([]byte, ringBlocks*ringBlock)}
	rng := rand.New(rand.NewPCG(1, 2))
	for b := range ringBlocks {
		block := r.mem[b*ringBlock : (b+1)*ringBlock]
		pos, n := ringBlockHead, 0
		for {
			size := length(rng)
			stride := (ringFrameHead + size + ringFrameAlign - 1) &^ (ringFrameAlign - 1)
			if pos+stride > len(block) {
				break
			}
			h := block[pos:]
			binary.NativeEndian.PutUint32(h, uint32(stride))
			binary.NativeEndian.PutUint32(h[4:], 1_700_000_000)
			binary.NativeEndian.PutUint32(h[8:], uint32(n)*1000)
			binary.NativeEndian.PutUint32(h[12:], uint32(size))
			binary.NativeEndian.PutUint32(h[16:], uint32(size))
			binary.NativeEndian.PutUint16(h[24:], ringFrameHead)
			fillPattern(h[ringFrameHead:ringFrameHead+size], uint64(pos))
			pos += stride
			n++
		}
		r.counts[b] = n
	}
	return r
}

// read returns the frames of block b.
func (r *benchRing) read(b int) []Frame {
	block := r.mem[b*ringBlock : (b+1)*ringBlock]
	if cap(r.frames) < r.counts[b] {
		r.frames = make([]Frame, ringBlock/ringFrameHead)
	}
	frames := r.frames[:r.counts[b]]
	pos := ringBlockHead
	for i := range frames {
		h := block[pos : pos+48]
		mac := pos + int(binary.NativeEndian.Uint16(h[24:]))
		size := int(binary.NativeEndian.Uint32(h[12:]))
		f := &frames[i]
		f.Data = block[mac : mac+size]
		f.Len = binary.NativeEndian.Uint32(h[16:])
		f.Sec = binary.NativeEndian.Uint32(h[4:])
		f.Usec = binary.NativeEndian.Uint32(h[8:]) / 1000
		pos += int(binary.NativeEndian.Uint32(h))
	}
	return frames
}

func BenchmarkPacker(b *testing.B) {
	for _, limit := range []int{1472, 8972} {
		for _, name := range []string{"64", "imix", "1514"} {
			b.Run(fmt.Sprintf("%s/%d", name, limit), func(b *testing.B) {
				ring := newBenchRing(benchSizes[name])
				p, err := NewPacker(limit, make([]byte, 65536))
				if err != nil {
					b.Fatal(err)
				}
				ring.read(0)
				runs, datagrams, frames := 0, 0, 0
				b.ReportAllocs()
				b.ResetTimer()
				for block := 0; frames < b.N; block = (block + 1) % ringBlocks {
					rest := ring.read(block)
					frames += len(rest)
					for len(rest) > 0 {
						n, full := p.Append(rest)
						rest = rest[n:]
						if full {
							r, _ := p.Take()
							runs++
							datagrams += r.Datagrams
						}
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
				b.ReportMetric(float64(datagrams)/float64(max(1, runs)), "datagrams/run")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkReassembler reads 8 MiB of datagrams again and again, as from the buffers of a receiver.
func BenchmarkReassembler(b *testing.B) {
	for _, limit := range []int{1472, 8972} {
		for _, name := range []string{"64", "imix", "1514"} {
			b.Run(fmt.Sprintf("%s/%d", name, limit), func(b *testing.B) {
				d := newDriver(b, limit, 65536)
				ring := newBenchRing(benchSizes[name])
				for block := range ringBlocks / 2 {
					d.block(ring.read(block))
				}
				d.flush()
				mem := make([]byte, len(d.datagrams)*limit)
				for i, g := range d.datagrams {
					copy(mem[i*limit:], g)
					d.datagrams[i] = mem[i*limit:][:len(g)]
				}
				bytes := uint64(0)
				r := NewReassembler(ReassemblerConfig{}, func(p *Packet) { bytes += uint64(len(p.Data)) })
				b.ReportAllocs()
				b.ResetTimer()
				seq := uint32(0)
				for r.c.Delivered < uint64(b.N) {
					for _, g := range d.datagrams {
						binary.BigEndian.PutUint32(g[4:], seq)
						r.Datagram(g, epoch)
						seq++
					}
					r.records.last = 0 // each round numbers its frames from 1
				}
				b.StopTimer()
				if k := r.Counters(); k.Lost+k.Inconsistent+k.Missing != 0 || k.DeliveredBytes != bytes {
					b.Fatalf("%+v", k)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(r.c.Delivered), "ns/frame")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
