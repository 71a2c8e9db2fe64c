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

// Pipe is a capture file that can be read once only: standard input, a pipe. Its sources, one at a time, go on where
// the one before has ended.
type Pipe struct {
	name    string
	records records
	batches chan pipeBatch
	free    chan []byte
	inUse   atomic.Bool
	end     error // of the last batch that was taken
}

// pipeBatch is what was there to be read at once.
type pipeBatch struct {
	frames []udpstr.Frame
	buf    []byte
	odd    Odd
	err    error // no further one follows
}

// OpenPipe reads the beginning of a pipe: it returns when the link type is known. The name is for messages.
func OpenPipe(r io.Reader, name string) (*Pipe, error) {
	input, err := unpack(r)
	if err != nil {
		return nil, fmt.Errorf("open capture file %s: %w", name, err)
	}
	rec, err := newRecords(input.Reader)
	if err != nil {
		return nil, fmt.Errorf("open capture file %s: %w", name, err)
	}
	p := &Pipe{name: name, records: rec, batches: make(chan pipeBatch), free: make(chan []byte, 2)}
	for range cap(p.free) {
		p.free <- make([]byte, fileBatchBytes)
	}
	go p.read(input) // ends with the pipe; a read of standard input cannot be called off
	return p, nil
}

// LinkType is the link type of all frames, as a DLT number.
func (p *Pipe) LinkType() uint32 { return p.records.linkType() }

// read makes batches of what is there, so that frames of a live pipe do not wait for others.
func (p *Pipe) read(input unpacked) {
	for {
		b := pipeBatch{buf: <-p.free}
		used := 0
		for len(b.frames) < fileBatchFrames && len(b.buf)-used >= MaxSnaplen && (len(b.frames) == 0 || p.records.ready()) {
			f, err := p.records.next(b.buf[used:])
			if err != nil {
				b.err = ending(p.name, err)
				break
			}
			used += len(f.Data)
			b.frames = append(b.frames, f)
		}
		b.odd = p.records.odd()
		p.batches <- b
		if b.err != nil {
			if input.close != nil {
				input.close()
			}
			return
		}
	}
}

// Open captures from the pipe, with the filter and the snap length of o.
func (p *Pipe) Open(o Options) (Source, error) {
	x := &pipeSource{
		sieve: sieve{name: p.name, snaplen: int(snaplenOf(o.Snaplen))},
		pipe:  p, done: make(chan struct{}), drain: make(chan struct{}),
	}
	if err := x.SetFilter(o.Filter); err != nil {
		return nil, err
	}
	if !p.inUse.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("open capture file %s: it is being read already, and can be read only once", p.name)
	}
	return x, nil
}

type pipeSource struct {
	sieve
	pipe  *Pipe
	lease []byte
	odd   Odd

	gate      gate
	done      chan struct{} // closed by Close
	drain     chan struct{} // closed by Drain
	draining  atomic.Bool
	exhausted atomic.Bool
}

func (x *pipeSource) LinkType() uint32 { return x.pipe.LinkType() }

// Exhausted tells whether the pipe has been read to its end.
func (x *pipeSource) Exhausted() bool { return x.exhausted.Load() }

// Odd belongs to the goroutine of Next.
func (x *pipeSource) Odd() Odd { return x.odd }

func (x *pipeSource) Next(deadline time.Time) ([]udpstr.Frame, error) {
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
func (x *pipeSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	for x.pipe.end == nil {
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
	return nil, x.pipe.end
}

// await waits for a batch. What ends the source goes before one that is there.
func (x *pipeSource) await(deadline time.Time) (b pipeBatch, err error) {
	select {
	case <-x.done:
		return b, net.ErrClosed
	case <-x.drain:
		return b, io.EOF
	default:
	}
	select {
	case b = <-x.pipe.batches:
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
	case b = <-x.pipe.batches:
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
func (x *pipeSource) take(b pipeBatch) []udpstr.Frame {
	x.lease, x.odd = b.buf, b.odd
	x.pipe.end = b.err
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

func (x *pipeSource) Release() {
	x.giveBack()
	if x.gate.leave() {
		x.pipe.inUse.Store(false)
	}
}

// giveBack lets the pipe read into the buffer of the lease.
func (x *pipeSource) giveBack() {
	if x.lease != nil {
		x.pipe.free <- x.lease
		x.lease = nil
	}
}

func (x *pipeSource) Drain(time.Duration) error {
	if x.draining.CompareAndSwap(false, true) {
		close(x.drain)
	}
	return nil
}

func (x *pipeSource) Close() error {
	first, free := x.gate.close()
	if first {
		close(x.done)
	}
	if free {
		x.pipe.inUse.Store(false)
	}
	return nil
}
