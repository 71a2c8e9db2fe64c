package capture

import (
	"fmt"
	"io"
	"net"
	"os"
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
		stream: s, done: make(chan struct{}), drain: make(chan struct{}),
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

	gate      gate
	done      chan struct{} // closed by Close
	drain     chan struct{} // closed by Drain
	draining  atomic.Bool
	exhausted atomic.Bool
}

func (x *streamSource) LinkType() uint32 { return x.stream.LinkType() }

// Exhausted tells whether the stream has been read to its end.
func (x *streamSource) Exhausted() bool { return x.exhausted.Load() }

// Odd belongs to the goroutine of Next.
func (x *streamSource) Odd() Odd { return x.odd }

func (x *streamSource) Next(deadline time.Time) ([]udpstr.Frame, error) {
	x.Release()
	if !x.gate.enter() {
		return nil, net.ErrClosed
	}
	frames, err := x.next(deadline)
	if err != nil {
		x.Release()
	}
	return frames, err
}

// next takes batches until the filter has left something of one.
func (x *streamSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	for x.stream.end == nil {
		b, err := x.await(deadline)
		if err != nil {
			return nil, err
		}
		if frames := x.take(b); len(frames) > 0 {
			return frames, nil
		}
		x.giveBack()
	}
	x.exhausted.Store(true)
	return nil, x.stream.end
}

// await waits for a batch. What ends the source goes before one that is there.
func (x *streamSource) await(deadline time.Time) (b streamBatch, err error) {
	select {
	case <-x.done:
		return b, net.ErrClosed
	case <-x.drain:
		return b, io.EOF
	default:
	}
	select {
	case b = <-x.stream.batches:
		return b, nil
	default:
	}
	var timeout <-chan time.Time
	if !deadline.IsZero() {
		wait := time.Until(deadline)
		if wait <= 0 {
			return b, os.ErrDeadlineExceeded
		}
		timeout = time.After(wait)
	}
	select {
	case b = <-x.stream.batches:
		return b, nil
	case <-x.done:
		return b, net.ErrClosed
	case <-x.drain:
		return b, io.EOF
	case <-timeout:
		return b, os.ErrDeadlineExceeded
	}
}

// take leases a batch and filters it.
func (x *streamSource) take(b streamBatch) []udpstr.Frame {
	x.lease, x.odd = b.buf, b.odd
	x.stream.end = b.err
	vm, kept := x.vm.Load(), b.frames[:0]
	for _, f := range b.frames {
		if x.keep(vm, &f) {
			kept = append(kept, f)
		}
	}
	x.refused.Add(uint64(len(b.frames) - len(kept)))
	x.count(kept)
	return kept
}

func (x *streamSource) Release() {
	x.giveBack()
	if x.gate.leave() {
		x.stream.inUse.Store(false)
	}
}

// giveBack lets the stream read into the buffer of the lease.
func (x *streamSource) giveBack() {
	if x.lease != nil {
		x.stream.free <- x.lease
		x.lease = nil
	}
}

func (x *streamSource) Drain(time.Duration) error {
	if x.draining.CompareAndSwap(false, true) {
		close(x.drain)
	}
	return nil
}

func (x *streamSource) Close() error {
	first, free := x.gate.close()
	if first {
		close(x.done)
	}
	if free {
		x.stream.inUse.Store(false)
	}
	return nil
}
