package pcapoverip

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// BenchmarkFrames sends frames of 500 bytes to clients that throw them away, as fast as the slowest of them reads, and
// tells what a frame costs the sender alone.
func BenchmarkFrames(b *testing.B) {
	for _, clients := range []int{0, 1, 8, 64} {
		for _, request := range []string{"", "filter=udp port 80\n"} {
			if request != "" && clients == 0 {
				continue
			}
			b.Run(fmt.Sprintf("clients=%d/filter=%v", clients, request != ""), func(b *testing.B) {
				s, err := New(Options{Listen: loopback})
				if err != nil {
					b.Fatal(err)
				}
				r := runInBackground(s)
				defer r()
				f := s.Attach(source("web", "eth0", 1))
				for range clients {
					c, err := net.Dial("tcp", s.Addr().String())
					if err != nil {
						b.Fatal(err)
					}
					defer c.Close()
					_, _ = io.WriteString(c, request)
					go func() { _, _ = io.Copy(io.Discard, c) }()
				}
				for n := -1; n != clients; time.Sleep(time.Millisecond) {
					s.backlog.mu.Lock()
					n = len(s.backlog.readers)
					s.backlog.mu.Unlock()
				}
				p := ethernet(1, 80, 500)
				var inFeed time.Duration
				b.SetBytes(int64(len(p.Data)))
				b.ResetTimer()
				for i := range b.N {
					begin := time.Now()
					f.Frame(p)
					inFeed += time.Since(begin)
					for i%256 == 0 && s.waiting() > 4<<20 {
						time.Sleep(50 * time.Microsecond)
					}
				}
				b.ReportMetric(float64(inFeed.Nanoseconds())/float64(b.N), "ns-in-feed/frame")
				b.ReportMetric(float64(f.Counters().Dropped), "dropped")
			})
		}
	}
}

// waiting is how much the backlog holds.
func (s *Sink) waiting() int {
	s.backlog.mu.Lock()
	defer s.backlog.mu.Unlock()
	return s.backlog.size
}
