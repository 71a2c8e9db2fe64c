package sink

import (
	"context"
	"sync"

	"rpcapd/udpstr"
)

// testSink counts frames by source name.
type testSink struct {
	mu     sync.Mutex
	frames map[string]int
	sums   map[string]Forwarded
}

func (s *testSink) Name() string { return "counter" }
func (s *testSink) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
func (s *testSink) Attach(src Source) Feed { return &testSinkFeed{s, src.Name(), 0} }

type testSinkFeed struct {
	s    *testSink
	name string
	n    uint64
}

func (f *testSinkFeed) Frame(*udpstr.Packet) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.s.frames == nil {
		f.s.frames = make(map[string]int)
	}
	f.s.frames[f.name]++
	f.n++
}
func (f *testSinkFeed) Counters() Counters { return Counters{Written: f.n} }
func (f *testSinkFeed) Detach(sum Forwarded) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.s.sums == nil {
		f.s.sums = make(map[string]Forwarded)
	}
	f.s.sums[f.name] = sum
}
