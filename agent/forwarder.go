package agent

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"

	"rpcapd/capture"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// forwarder moves frames from a capture source to an output: one goroutine on one
// OS thread, without allocation, channel, lock or clock per frame.
type forwarder struct {
	source  capture.Source
	out     output
	sampler sampler

	// Published once a block for whoever asks.
	captured, capturedBytes, packed, sampled atomic.Uint64
	progress                                 atomic.Uint64 // wake-ups, for a watchdog
}

// output packs frames and sends them.
type output interface {
	// forward packs frames and sends what is complete. It is done with the frames when
	// it returns. An error ends the capture.
	forward(frames []udpstr.Frame) error
	// flush sends what forward kept back.
	flush() error
	// hurry makes a blocked forward or flush give up soon; any goroutine may call it.
	hurry()
	// count adds what was sent to n; describe fills in the fields about the data
	// connection. Any goroutine may call them, also after close.
	count(n *Counters)
	describe(*CaptureStatus)
	format() string
	close()
}

func newForwarder(src capture.Source, out output, s rpcap.SamplingRequest) *forwarder {
	return &forwarder{source: src, out: out, sampler: newSampler(s)}
}

// run forwards until the source ends or fails, or the output fails. io.EOF of the
// source is the regular end and no error.
func (f *forwarder) run(cpu, nice int) error {
	runtime.LockOSThread() // never unlocked: the thread ends with its binding and niceness
	tuneThread(cpu, nice)
	for {
		frames, err := f.source.Next(0)
		if err == capture.ErrTimeout { // nothing ready: what is packed leaves now
			if err := f.out.flush(); err != nil {
				return err
			}
			frames, err = f.source.Next(idleWait)
		}
		if err != nil {
			f.progress.Add(1)
			if errors.Is(err, capture.ErrTimeout) || errors.Is(err, capture.ErrWoken) {
				continue
			}
			return f.end(err)
		}
		err = f.block(frames)
		f.source.Release()
		if err != nil {
			return err
		}
	}
}

// block forwards the frames of one ring block.
func (f *forwarder) block(frames []udpstr.Frame) error {
	var bytes uint64
	for i := range frames {
		bytes += uint64(len(frames[i].Data))
	}
	all := len(frames)
	frames = f.sampler.keep(frames)
	err := f.out.forward(frames)
	f.progress.Add(1)
	f.capturedBytes.Add(bytes)
	f.captured.Add(uint64(all))
	f.sampled.Add(uint64(all - len(frames)))
	f.packed.Add(uint64(len(frames)))
	return err
}

// end sends the rest after the source has ended.
func (f *forwarder) end(cause error) error {
	err := f.out.flush()
	if cause != io.EOF {
		return cause
	}
	return err
}

// counters: packed is read first, so that no reader sees more packed than captured.
func (f *forwarder) counters() Counters {
	var n Counters
	n.Packed = f.packed.Load()
	n.Sampled = f.sampled.Load()
	n.Captured = f.captured.Load()
	n.CapturedBytes = f.capturedBytes.Load()
	return n
}
