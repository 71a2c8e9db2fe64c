package capture

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"rpcapd/udpstr"
)

// Stream is a capture file that can be read once only: standard input, a pipe. Its sources, one at a time, go on where
// the one before has ended.
type Stream struct {
	name    string
	records records
	batches chan streamBatch
	free    chan []byte
	inUse   atomic.Bool
	end     error // of the last batch that was taken
}

// streamBatch is what was there to be read at once.
type streamBatch struct {
	frames []udpstr.Frame
	buf    []byte
	odd    Odd
	err    error // no further one follows
}

// OpenStream reads the beginning of a stream: it returns when the link type is known. The name is for messages.
func OpenStream(r io.Reader, name string) (*Stream, error) {
	input, err := unpack(r)
	if err != nil {
		return nil, fmt.Errorf("open capture file %s: %w", name, err)
	}
	rec, err := newRecords(input.Reader)
	if err != nil {
		return nil, fmt.Errorf("open capture file %s: %w", name, err)
	}
	s := &Stream{name: name, records: rec, batches: make(chan streamBatch), free: make(chan []byte, 2)}
	for range cap(s.free) {
		s.free <- make([]byte, fileBatchBytes)
	}
	go s.read(input) // ends with the stream; a read of standard input cannot be called off
	return s, nil
}

// LinkType is the link type of all frames, as a DLT number.
func (s *Stream) LinkType() uint32 { return s.records.linkType() }

// read makes batches of what is there, so that frames of a live stream do not wait for others.
func (s *Stream) read(input unpacked) {
	for {
		b := streamBatch{buf: <-s.free}
		used := 0
		for len(b.frames) < fileBatchFrames && len(b.buf)-used >= MaxSnaplen && (len(b.frames) == 0 || s.records.ready()) {
			f, err := s.records.next(b.buf[used:])
			if err != nil {
				b.err = ending(s.name, err)
				break
			}
			used += len(f.Data)
			b.frames = append(b.frames, f)
		}
		b.odd = s.records.odd()
		s.batches <- b
		if b.err != nil {
			if input.close != nil {
				input.close()
			}
			return
		}
	}
}

// Open captures from the stream, with the filter and the snap length of o.
func (s *Stream) Open(o Options) (Source, error) {
	x := &streamSource{
		sieve:  sieve{name: s.name, snaplen: int(snaplenOf(o.Snaplen))},
		stream: s, wake: make(chan struct{}, 1), drain: make(chan struct{}),
	}
	if err := x.SetFilter(o.Filter); err != nil {
		return nil, err
	}
	if !s.inUse.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("open capture file %s: it is being read already, and can be read only once", s.name)
	}
	return x, nil
}

type streamSource struct {
	sieve
	stream *Stream
	lease  []byte
	odd    Odd
	closed bool

	wake      chan struct{}
	drain     chan struct{}
	draining  atomic.Bool
	exhausted atomic.Bool
}

func (x *streamSource) LinkType() uint32 { return x.stream.LinkType() }

// Exhausted tells whether the stream has been read to its end.
func (x *streamSource) Exhausted() bool { return x.exhausted.Load() }

// Odd belongs to the goroutine of Next.
func (x *streamSource) Odd() Odd { return x.odd }

func (x *streamSource) Next(wait time.Duration) ([]udpstr.Frame, error) {
	x.Release()
	if x.closed {
		return nil, net.ErrClosed
	}
	if x.stream.end != nil {
		x.exhausted.Store(true)
		return nil, x.stream.end
	}
	var b streamBatch
	select {
	case <-x.wake:
		return nil, ErrWoken
	case <-x.drain:
		return nil, io.EOF
	default:
	}
	select {
	case b = <-x.stream.batches:
	default:
		if wait == 0 {
			return nil, ErrTimeout
		}
		var timeout <-chan time.Time
		if wait > 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case b = <-x.stream.batches:
		case <-x.wake:
			return nil, ErrWoken
		case <-x.drain:
			return nil, io.EOF
		case <-timeout:
			return nil, ErrTimeout
		}
	}
	return x.take(b)
}

// take filters a batch and leases it.
func (x *streamSource) take(b streamBatch) ([]udpstr.Frame, error) {
	x.lease, x.odd = b.buf, b.odd
	x.stream.end = b.err
	vm, kept := x.vm.Load(), b.frames[:0]
	for _, f := range b.frames {
		if x.keep(vm, &f) {
			kept = append(kept, f)
		}
	}
	x.refused.Add(uint64(len(b.frames) - len(kept)))
	if len(kept) > 0 {
		x.count(kept)
		return kept, nil
	}
	if b.err != nil {
		x.exhausted.Store(true)
		return nil, b.err
	}
	return nil, ErrTimeout
}

func (x *streamSource) Release() {
	if x.lease != nil {
		x.stream.free <- x.lease
		x.lease = nil
	}
}

func (x *streamSource) Wake() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

func (x *streamSource) Drain(time.Duration) error {
	if x.draining.CompareAndSwap(false, true) {
		close(x.drain)
	}
	return nil
}

func (x *streamSource) Close() error {
	if x.closed {
		return nil
	}
	x.closed = true
	x.Release()
	x.stream.inUse.Store(false)
	return nil
}
