package files

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// BenchmarkSingle is the cost of a frame from the feed to the write system call, which does nothing here.
func BenchmarkSingle(b *testing.B) {
	for _, size := range []int{64, 1514} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := NewSingle("nowhere", io.Discard, false, nil)
			benchmark(b, s, size, func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.queue.Len() > queueChunks/2
			})
		})
	}
}

// BenchmarkSink is the same with files of 64 MiB, of which two stay.
func BenchmarkSink(b *testing.B) {
	for _, o := range []Options{
		{}, {PerAgent: true}, {Format: savefile.Pcap}, {Compress: Gzip}, {Compress: Zstd},
	} {
		for _, size := range []int{64, 1514} {
			b.Run(fmt.Sprintf("%v,agent=%v,compress=%v/%d", o.Format, o.PerAgent, o.Compress, size), func(b *testing.B) {
				o.Name, o.Path, o.RotateSize, o.Keep = "bench", filepath.Join(b.TempDir(), "x.pcapng"), 64<<20, 2
				if o.PerAgent {
					o.Path = filepath.Join(b.TempDir(), "{host}.pcapng")
				}
				s, err := New(o)
				if err != nil {
					b.Fatal(err)
				}
				benchmark(b, s, size, func() bool {
					s.mu.Lock()
					defer s.mu.Unlock()
					return s.queue.Len() > queueChunks/2
				})
			})
		}
	}
}

// benchmark gives frames to a sink as fast as it writes them: none is dropped.
func benchmark(b *testing.B, s sink.Sink, size int, full func() bool) {
	stop := runSink(s)
	f := s.Attach(testSource("web", "eth0", 1))
	p := packet(testFrames(1, size)[0], 1)
	p.Data = p.Data[:size]
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if f.Frame(p); n&63 == 0 {
			for full() {
				runtime.Gosched()
			}
		}
	}
	f.Detach(sink.Forwarded{})
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	if c := f.Counters(); c.Dropped > 0 {
		b.Errorf("%+v", c)
	}
}
