package chunks

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
	"testing"
)

var small = Bounds{Size: 100, Full: 50, Frames: 10, Chunks: 3, Spare: 2}

// put appends one frame of n bytes.
func put(q *Queue[int], n, record int) (first, ok bool) {
	c, first := q.Reserve(n)
	if c == nil {
		return first, false
	}
	c.Data = append(c.Data, make([]byte, n)...)
	c.Frames = append(c.Frames, record)
	return first, true
}

// TestBounds: what a chunk and the queue take, and that everything else is refused, frame by frame, until a chunk was taken.
func TestBounds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		bounds  Bounds
		size    int
		inChunk int // frames
	}{
		{"full", small, 25, 2},
		{"a frame goes beyond full", small, 49, 2},
		{"no room for another frame", small, 60, 1},
		{"frames", small, 1, 10},
		{"frames without data", small, 0, 10},
		{"the largest", small, 100, 1},
		{"any number of frames", Bounds{Size: 100, Full: 100, Chunks: 3}, 1, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := New[int](tc.bounds)
			fit := 3 * tc.inChunk
			refused := 0
			for i := range fit + 7 {
				if first, ok := put(q, tc.size, i); !ok {
					refused++
				} else if first != (i == 0) {
					t.Errorf("frame %d: first %v", i, first)
				}
			}
			if refused != 7 || q.Len() != 3 {
				t.Errorf("%d refused instead of 7, %d chunks wait", refused, q.Len())
			}
			c := q.Take()
			if len(c.Frames) != tc.inChunk || len(c.Data) != tc.inChunk*tc.size || cap(c.Data) != 100 {
				t.Errorf("%d frames, %d of %d bytes in a chunk", len(c.Frames), len(c.Data), cap(c.Data))
			}
			for i := range tc.inChunk {
				if _, ok := put(q, tc.size, i); !ok {
					t.Errorf("frame %d refused while there is room for a chunk", i)
				}
			}
			if _, ok := put(q, tc.size, 0); ok {
				t.Error("a frame beyond the limit was taken")
			}
		})
	}
}

// TestTooLong: a frame that no chunk can hold is refused, and leaves the queue as it was.
func TestTooLong(t *testing.T) {
	q := New[int](small)
	if _, ok := put(q, 101, 0); ok || q.Len() != 0 || q.Take() != nil {
		t.Errorf("taken: %v; %d chunks", ok, q.Len())
	}
	put(q, 10, 0)
	if _, ok := put(q, 101, 0); ok || q.Len() != 1 {
		t.Errorf("taken: %v; %d chunks", ok, q.Len())
	}
	if c, _ := q.ReserveBeyond(101); c != nil {
		t.Error("taken beyond the limit")
	}
}

// TestBeyond: a full queue takes what must not get lost, behind all that waits, and refuses frames until it has room again.
func TestBeyond(t *testing.T) {
	q := New[int](small)
	for n := 0; ; n++ {
		if _, ok := put(q, 60, n); !ok {
			break
		}
	}
	c, first := q.ReserveBeyond(60)
	if c == nil || first || q.Len() != 4 {
		t.Fatalf("chunk %v, first %v, %d wait", c, first, q.Len())
	}
	c.Data, c.Frames = append(c.Data, make([]byte, 60)...), append(c.Frames, 99)
	var order []int
	for c := q.Take(); c != nil; c = q.Take() {
		if _, ok := put(q, 60, 50); ok != (len(order) > 0) {
			t.Errorf("after %d chunks: a frame was taken: %v", len(order)+1, ok)
		}
		if order = append(order, c.Frames...); len(order) > 4 {
			break
		}
	}
	if want := []int{0, 1, 2, 99, 50}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

// TestMemory: chunks are used again without their records, no more of them are kept than the bounds say, and Trim drops those
// that a quiet period does not need.
func TestMemory(t *testing.T) {
	b := small
	b.Spare = 3
	q := New[*[1]int](b)
	fill := func() {
		for {
			c, _ := q.Reserve(60)
			if c == nil {
				return
			}
			c.Data, c.Frames = append(c.Data, make([]byte, 60)...), append(c.Frames, new([1]int))
		}
	}
	drain := func() {
		for c := q.Take(); c != nil; c = q.Take() {
			q.GiveBack(c)
		}
	}
	fill()
	q.GiveBack(&Chunk[*[1]int]{Data: make([]byte, 0, 100)})
	drain()
	if len(q.spare) != 3 {
		t.Errorf("%d chunks kept, want 3", len(q.spare))
	}
	for _, c := range q.spare {
		if len(c.Data) != 0 || len(c.Frames) != 0 || cap(c.Data) != 100 {
			t.Errorf("kept with %d of %d bytes", len(c.Data), cap(c.Data))
		}
		for _, p := range c.Frames[:cap(c.Frames)] {
			if p != nil {
				t.Error("a record is kept alive")
			}
		}
	}
	if n := testing.AllocsPerRun(10, func() {
		c, _ := q.Reserve(60)
		c.Data, c.Frames = append(c.Data, 1), append(c.Frames, nil)
		q.GiveBack(q.Take())
	}); n != 0 {
		t.Errorf("%v allocations for a chunk that is used again", n)
	}
	if q.Trim(1); len(q.spare) != 3 {
		t.Errorf("%d chunks kept by the first Trim, which followed use", len(q.spare))
	}
	if q.Trim(1); len(q.spare) != 1 {
		t.Errorf("%d chunks kept by a Trim after a quiet period, want 1", len(q.spare))
	}
	fill()
	q.Clear()
	if q.Len() != 0 || q.Take() != nil || len(q.spare) != 0 {
		t.Errorf("after Clear %d chunks wait and %d are kept", q.Len(), len(q.spare))
	}
}

// TestConcurrent: several feeds and a writer as the sinks use a queue. The writer sleeps when nothing waits, and is woken; all
// frames that were taken come out, whole and in the order of their feed; those that were refused are the rest.
func TestConcurrent(t *testing.T) {
	const feeds, frames = 4, 20_000
	type record struct{ feed, number, end int }
	q := New[record](Bounds{Size: 1000, Full: 600, Frames: 50, Chunks: 4, Spare: 2})
	var mu sync.Mutex
	var sent, refused [feeds]int
	var work sync.WaitGroup
	for feed := range feeds {
		work.Go(func() {
			taken := false
			for i := 0; i < frames || !taken; i++ { // the writer may have its turn late
				mu.Lock()
				c, first := q.Reserve(16)
				sent[feed]++
				if c == nil {
					refused[feed]++
				} else {
					taken = true
					c.Data = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(c.Data, uint64(feed)), uint64(i))
					c.Frames = append(c.Frames, record{feed, i, len(c.Data)})
				}
				mu.Unlock()
				if first {
					q.Signal()
				}
				if c == nil {
					runtime.Gosched()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()

	var got, next [feeds]int
	write := func() {
		for {
			mu.Lock()
			c := q.Take()
			mu.Unlock()
			if c == nil {
				return
			}
			begin := 0
			for _, r := range c.Frames {
				want := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(r.feed)), uint64(r.number))
				if r.number < next[r.feed] || !bytes.Equal(c.Data[begin:r.end], want) {
					t.Fatalf("frame %d of feed %d after %d: %x", r.number, r.feed, next[r.feed], c.Data[begin:r.end])
				}
				got[r.feed]++
				next[r.feed], begin = r.number+1, r.end
			}
			c.Reset()
			mu.Lock()
			q.GiveBack(c)
			mu.Unlock()
		}
	}
	for running := true; running; {
		write()
		select {
		case <-q.Queued():
		case <-done:
			running = false
		}
	}
	write()
	for i := range feeds {
		if got[i]+refused[i] != sent[i] || got[i] == 0 {
			t.Errorf("feed %d: %d frames written and %d refused of %d", i, got[i], refused[i], sent[i])
		}
	}
}

// TestWoken: whoever appends the first frame to an empty queue learns that a signal is due, also after chunks were taken and given
// back; frames behind it need none.
func TestWoken(t *testing.T) {
	q := New[int](small)
	for round := range 5 {
		for i := range 3 {
			if first, _ := put(q, 10, i); first != (i == 0) {
				t.Fatalf("round %d, frame %d: first %v", round, i, first)
			}
		}
		q.GiveBack(q.Take())
	}
}

// TestSignal: one signal is kept for a writer that does not wait yet, and none blocks.
func TestSignal(t *testing.T) {
	q := New[int](small)
	for range 3 {
		q.Signal()
	}
	<-q.Queued()
	select {
	case <-q.Queued():
		t.Error("a second signal was kept")
	default:
	}
}

func BenchmarkReserve(b *testing.B) {
	q := New[int](Bounds{Size: 512 << 10, Full: 224 << 10, Frames: 4096, Chunks: 32, Spare: 2})
	data := make([]byte, 512)
	b.ReportAllocs()
	for b.Loop() {
		c, _ := q.Reserve(len(data))
		c.Data, c.Frames = append(c.Data, data...), append(c.Frames, 1)
		if q.Len() > 1 {
			q.GiveBack(q.Take())
		}
	}
}

// TestUsualMemory: a chunk that begins with a short frame has the usual memory, one that begins with a long frame has all, also
// where the memory of a chunk is used again, and the bounds of the queue stay.
func TestUsualMemory(t *testing.T) {
	b := small
	b.Usual = 60
	q := New[int](b)
	for i, tc := range []struct{ n, memory int }{{10, 60}, {50, 60}, {61, 100}} {
		if first, ok := put(q, tc.n, i); !ok || first != (i == 0) {
			t.Fatalf("frame %d: first %v, taken %v", i, first, ok)
		}
		if c := q.chunks[len(q.chunks)-1]; cap(c.Data) != tc.memory {
			t.Errorf("frame %d is in a chunk of %d bytes, want %d", i, cap(c.Data), tc.memory)
		}
	}
	if q.Len() != 2 { // the first two share one
		t.Errorf("%d chunks", q.Len())
	}
	if _, ok := put(q, 101, 0); ok {
		t.Error("a frame longer than a chunk was taken")
	}
	q.GiveBack(q.Take())
	q.Take()
	put(q, 100, 3)
	if c := q.Take(); cap(c.Data) != 100 || len(c.Data) != 100 {
		t.Errorf("%d of %d bytes in a chunk that was used again", len(c.Data), cap(c.Data))
	}
	if _, ok := put(q, 0, 4); !ok || cap(q.chunks[0].Data) == 0 {
		t.Error("a chunk without memory")
	}
}
