package sink

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"rpcapd/test/frames"
	"rpcapd/udpstr"
)

// give puts frames into a feed.
func give(f Feed, frames []udpstr.Frame) {
	for i := range frames {
		f.Frame(&udpstr.Packet{Frame: frames[i], Number: uint64(i + 1)})
	}
}

// TestReaderGivesEachFrame: all of several streams, byte for byte, in the order of each, while they come in; the loop
// ends when the sensor has.
func TestReaderGivesEachFrame(t *testing.T) {
	r := NewReader("r", 0)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	run := make(chan error, 1)
	go func() { run <- r.Run(ctx) }()
	frames := frames.Make(20_000, 60)
	for _, host := range []string{"a", "b", "c"} {
		work.Go(func() {
			f := r.Attach(Source{Host: host, Interface: "eth0"})
			give(f, frames)
			if c := f.Counters(); c.Written != uint64(len(frames)) || c.Dropped != 0 {
				t.Errorf("%+v", c)
			}
			f.Detach(Forwarded{})
		})
	}
	go func() {
		work.Wait()
		cancel()
	}()
	next := make(map[string]uint64)
	for f := range r.Frames(t.Context()) {
		name := f.Source.Name()
		want := frames[next[name]]
		if next[name]++; f.Number != next[name] || !bytes.Equal(f.Data, want.Data) || f.Len != len(want.Data) ||
			!f.Time.Equal(time.Unix(int64(want.Sec), int64(want.Usec)*1000)) {
			t.Fatalf("frame %d of %s: %+v", next[name], name, f)
		}
	}
	for name, n := range next {
		if n != uint64(len(frames)) {
			t.Errorf("%d frames of %s", n, name)
		}
	}
	if err := <-run; err != nil || len(next) != 3 {
		t.Errorf("%v, %v", err, next)
	}
}

// TestReaderSlowLoop: what does not fit is dropped and counted, and the memory is bounded.
func TestReaderSlowLoop(t *testing.T) {
	const limit = 4 << 20
	r := NewReader("r", limit)
	f := r.Attach(Source{})
	for range 20 {
		give(f, frames.Make(1000, 1000))
	}
	c := f.Counters()
	if c.Written+c.Dropped != 20_000 || c.Dropped == 0 || c.Bytes > limit || c.Bytes < limit*3/4 {
		t.Errorf("%+v", c)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ended); err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	for range r.Frames(t.Context()) {
		n++
	}
	if n != c.Written {
		t.Errorf("%d of %d frames came out", n, c.Written)
	}
}

// TestReaderIsLeft: the sink ends, and what comes afterwards is dropped.
func TestReaderIsLeft(t *testing.T) {
	r := NewReader("r", 0)
	f := r.Attach(Source{})
	give(f, frames.Make(10, 60))
	for range r.Frames(t.Context()) {
		break
	}
	if err := r.Run(t.Context()); !errors.Is(err, ErrConsumerGone) {
		t.Errorf("Run: %v", err)
	}
	give(f, frames.Make(5, 60))
	if c := f.Counters(); c.Written != 10 || c.Dropped != 5 {
		t.Errorf("%+v", c)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for range NewReader("idle", 0).Frames(ctx) { // ends with ctx
		t.Error("a frame from nowhere")
	}
}

func BenchmarkReader(b *testing.B) {
	r := NewReader("r", 0)
	f := r.Attach(Source{})
	p := &udpstr.Packet{Frame: udpstr.Frame{Data: make([]byte, 512), Len: 512}}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range r.Frames(ctx) {
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		f.Frame(p)
	}
	cancel()
	<-done
}
