package sink

import (
	"context"
	"iter"
	"sync"
	"time"

	"rpcapd/sensor/chunks"
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
	name  string
	left  chan struct{} // closed when the loop was left
	ended chan struct{} // closed when no more frames will come

	mu     sync.Mutex // a leaf; guards what follows
	queue  *chunks.Queue[readerFrame]
	gone   bool // the loop was left: nothing is kept any more
	stop   sync.Once
	finish sync.Once
}

// readerFrame is a frame within a chunk of the queue.
type readerFrame struct {
	source *Source
	end    int // in the data; it begins where the one before ends
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
		name: name, left: make(chan struct{}), ended: make(chan struct{}),
		queue: chunks.New[readerFrame](chunks.Bounds{
			Size: readerChunkSize, Full: readerChunkSize, Frames: readerChunkFrames, Chunks: max(2, limit/readerChunkSize), Spare: 1,
		}),
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
			for i := range c.Frames {
				k := &c.Frames[i]
				f = Frame{
					Source: k.source, Time: time.Unix(int64(k.sec), int64(k.usec)*1000), Data: c.Data[begin:k.end:k.end],
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
	r.gone = true
	r.queue.Clear()
	r.mu.Unlock()
	r.stop.Do(func() { close(r.left) })
}

// next waits for a chunk; nil is the end.
func (r *Reader) next(ctx context.Context) *chunks.Chunk[readerFrame] {
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
		case <-r.queue.Queued():
		case <-r.ended:
		case <-ctx.Done():
		}
	}
}

func (r *Reader) take() *chunks.Chunk[readerFrame] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.queue.Take()
}

func (r *Reader) giveBack(c *chunks.Chunk[readerFrame]) {
	c.Reset()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue.GiveBack(c)
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
	var c *chunks.Chunk[readerFrame]
	var first bool
	if !r.gone {
		c, first = r.queue.Reserve(len(p.Data))
	}
	if c == nil {
		f.counters.Dropped++
		r.mu.Unlock()
		return
	}
	c.Data = append(c.Data, p.Data...)
	c.Frames = append(c.Frames, readerFrame{
		source: f.source, end: len(c.Data), wire: p.Len, sec: p.Sec, usec: p.Usec, number: p.Number,
	})
	f.counters.Written++
	f.counters.Bytes += uint64(len(p.Data))
	r.mu.Unlock()
	if first {
		r.queue.Signal()
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
