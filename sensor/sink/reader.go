package sink

import (
	"context"
	"iter"
	"sync"
	"time"

	"rpcapd/udpstr"
)

// Frame is one frame of an agent, as a Reader gives it.
type Frame struct {
	Source *Source   // the same for all frames of a stream, until a reload changes its filter
	Time   time.Time // when the agent captured it, by the agent's clock, in microseconds
	Data   []byte    // what was captured, valid until the loop goes on
	Len    int       // bytes on the wire; more than len(Data) if the snap length has cut it
	Number uint64    // from 1 in each stream; a gap is a loss
}

// Reader is a sink for a program's own loop over the frames of all agents:
//
//	r := sensor.NewReader("my program", 0)
//	s, err := sensor.New(sensor.Options{Rules: rules, Sinks: []sensor.Sink{r}})
//	…
//	go s.Run(ctx)
//	for f := range r.Frames(ctx) {
//		…
//	}
//
// It holds a bounded number of bytes: frames for which there is no room, because the loop is slower than the agents, are
// dropped and counted. Options.Purpose instead of Sinks has the sensor end when the loop does.
type Reader struct {
	name   string
	chunks int           // that may wait
	wake   chan struct{} // capacity 1: something was queued
	left   chan struct{} // closed when the loop was left
	ended  chan struct{} // closed when no more frames will come

	mu     sync.Mutex // a leaf; guards what follows
	queue  []*readerChunk
	spare  *readerChunk
	gone   bool // the loop was left: nothing is kept any more
	stop   sync.Once
	finish sync.Once
}

// readerChunk is the unit in which frames change hands.
type readerChunk struct {
	data   []byte
	frames []readerFrame
}

// readerFrame is a frame within a chunk.
type readerFrame struct {
	source *Source
	end    int // in data; it begins where the one before ends
	wire   uint32
	sec    uint32
	usec   uint32
	number uint64
}

const (
	// readerChunkSize is the memory of one chunk, in bytes of frames.
	readerChunkSize = 512 << 10
	// readerChunkFrames bounds the frames of one chunk: small ones cost more than their bytes.
	readerChunkFrames = 8192
	// defaultReaderQueue is what a Reader holds by default.
	defaultReaderQueue = 16 << 20
)

// NewReader returns a reader that holds at most about the given number of bytes; 0 means 16 MiB.
func NewReader(name string, limit int) *Reader {
	if limit <= 0 {
		limit = defaultReaderQueue
	}
	return &Reader{
		name: name, chunks: max(2, limit/readerChunkSize),
		wake: make(chan struct{}, 1), left: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Name implements Sink.
func (r *Reader) Name() string { return r.name }

// Run implements Sink. It returns when ctx ends, with ErrConsumerGone when the loop was left before.
func (r *Reader) Run(ctx context.Context) error {
	defer r.finish.Do(func() { close(r.ended) })
	select {
	case <-ctx.Done():
		return nil
	case <-r.left:
		return ErrConsumerGone
	}
}

// Attach implements Sink.
func (r *Reader) Attach(src Source) Feed { return &readerFeed{reader: r, source: &src} }

// Frames returns the frames in the order of their arrival, until the sensor has stopped and nothing is left, or ctx ends.
// A frame and its data may be used until the loop goes on; the same Frame comes each time. There may be one loop; when it
// is left, the reader is done with: all that comes afterwards is dropped.
func (r *Reader) Frames(ctx context.Context) iter.Seq[*Frame] {
	return func(yield func(*Frame) bool) {
		defer r.leave()
		var f Frame
		for c := r.next(ctx); c != nil; c = r.next(ctx) {
			begin := 0
			for i := range c.frames {
				k := &c.frames[i]
				f = Frame{
					Source: k.source, Time: time.Unix(int64(k.sec), int64(k.usec)*1000), Data: c.data[begin:k.end:k.end],
					Len: int(k.wire), Number: k.number,
				}
				begin = k.end
				if !yield(&f) {
					return
				}
			}
			r.giveBack(c)
		}
	}
}

// leave drops what is queued and all that comes.
func (r *Reader) leave() {
	r.mu.Lock()
	r.gone, r.queue, r.spare = true, nil, nil
	r.mu.Unlock()
	r.stop.Do(func() { close(r.left) })
}

// next waits for a chunk; nil is the end.
func (r *Reader) next(ctx context.Context) *readerChunk {
	for {
		if ctx.Err() != nil {
			return nil
		}
		ended := false
		select {
		case <-r.ended:
			ended = true // before the queue is looked at: what was queued by then is still given out
		default:
		}
		if c := r.take(); c != nil || ended {
			return c
		}
		select {
		case <-r.wake:
		case <-r.ended:
		case <-ctx.Done():
		}
	}
}

func (r *Reader) take() *readerChunk {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil
	}
	c := r.queue[0]
	r.queue = append(r.queue[:0], r.queue[1:]...)
	return c
}

// giveBack keeps one chunk's memory for the next frames.
func (r *Reader) giveBack(c *readerChunk) {
	clear(c.frames)
	c.data, c.frames = c.data[:0], c.frames[:0]
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.gone {
		r.spare = c
	}
}

// room returns the chunk that the next n bytes go to, nil if there is none; mu is held.
func (r *Reader) room(n int) *readerChunk {
	if k := len(r.queue); k > 0 {
		if c := r.queue[k-1]; len(c.data)+n <= cap(c.data) && len(c.frames) < readerChunkFrames {
			return c
		}
		if k >= r.chunks {
			return nil
		}
	}
	c := r.spare
	if r.spare = nil; c == nil {
		c = &readerChunk{data: make([]byte, 0, readerChunkSize)}
	}
	r.queue = append(r.queue, c)
	return c
}

// readerFeed is one stream of a Reader.
type readerFeed struct {
	reader   *Reader
	source   *Source
	counters Counters // guarded by reader.mu
}

// Frame implements Feed.
func (f *readerFeed) Frame(p *udpstr.Packet) {
	r := f.reader
	r.mu.Lock()
	var c *readerChunk
	if !r.gone {
		c = r.room(len(p.Data))
	}
	if c == nil {
		f.counters.Dropped++
		r.mu.Unlock()
		return
	}
	c.data = append(c.data, p.Data...)
	c.frames = append(c.frames, readerFrame{
		source: f.source, end: len(c.data), wire: p.Len, sec: p.Sec, usec: p.Usec, number: p.Number,
	})
	f.counters.Written++
	f.counters.Bytes += uint64(len(p.Data))
	first := len(r.queue) == 1 && len(c.frames) == 1 // the loop sleeps only when it has taken every chunk
	r.mu.Unlock()
	if first {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// Counters implements Feed.
func (f *readerFeed) Counters() Counters {
	f.reader.mu.Lock()
	defer f.reader.mu.Unlock()
	return f.counters
}

// Detach implements Feed.
func (f *readerFeed) Detach(Forwarded) {}
