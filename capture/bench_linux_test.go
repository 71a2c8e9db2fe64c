package capture

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"rpcapd/udpstr"
)

// BenchmarkForward walks the blocks of a ring of 16 MiB in turn and packs their frames: all that the agent does itself with
// each frame. No system call is in it.
func BenchmarkForward(b *testing.B) {
	sizes := map[string]func(*rand.Rand) int{
		"64":   func(*rand.Rand) int { return 64 },
		"594":  func(*rand.Rand) int { return 594 },
		"1514": func(*rand.Rand) int { return 1514 },
		"imix": func(r *rand.Rand) int { return []int{64, 64, 64, 64, 64, 64, 64, 594, 594, 594, 594, 1514}[r.IntN(12)] },
	}
	for _, name := range []string{"64", "imix", "594", "1514"} {
		b.Run(fmt.Sprint("frame=", name), func(b *testing.B) {
			const blockBytes, blocks = 2 << 20, 8
			rng := rand.New(rand.NewPCG(1, 2))
			var ring [][]byte
			for range blocks {
				var frames [][]byte
				for bytes := 0; bytes < blockBytes; {
					n := sizes[name](rng)
					frames = append(frames, testFrame(n, uint32(len(frames))))
					bytes += n + 80
				}
				ring = append(ring, syntheticBlock(blockBytes, frames...))
			}
			p, err := udpstr.NewPacker(udpstr.DefaultLimit, make([]byte, 64<<10))
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]udpstr.Frame, leaseFrames)
			w := walker{snaplen: MaxSnaplen, tags: true}
			frames, runs, datagrams := 0, 0, 0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				w.begin(ring[i%blocks], nil)
				for w.left > 0 {
					n, _, err := w.fill(dst)
					if err != nil {
						b.Fatal(err)
					}
					frames += n
					for rest := dst[:n]; len(rest) > 0; {
						n, full := p.Append(rest)
						rest = rest[n:]
						if full {
							r, _ := p.Take()
							runs++
							datagrams += r.Datagrams
						}
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
			b.ReportMetric(float64(datagrams)/float64(max(1, runs)), "datagrams/run")
			b.ReportMetric(0, "ns/op")
		})
	}
}
