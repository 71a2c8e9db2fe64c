package agent

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"rpcapd/capture"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// forwarder moves frames from a capture source to an output: one goroutine, without allocation, channel, lock or clock per frame.
type forwarder struct {
	source  capture.Source
	out     output
	sampler sampler
	shedder shedder
	limits  *limits

	// Published once a block for whoever asks.
	captured, packed, sampled, dropped atomic.Uint64
	shedding                           atomic.Uint64 // one in so many frames is kept
	progress                           atomic.Uint64 // wake-ups, for a watchdog
}

// limits is what the ini allows the captures of the agent to take from the host.
type limits struct {
	rate rateLimit
	cpu  atomic.Int64 // MaxCPU, percent of one core; 0: none
	shed shedding
}

// output packs frames and sends them.
type output interface {
	// forward packs frames and sends what is complete. It is done with the frames when
	// it returns. An error ends the capture.
	forward(frames []udpstr.Frame) error
	// flush sends what forward kept back.
	flush() error
	// giveUp makes a blocked forward or flush give up soon; any goroutine may call it.
	giveUp()
	// count adds what was sent to n; describe fills in the fields about the data
	// connection. Any goroutine may call them, also after close.
	count(n *Counters)
	describe(*CaptureStatus)
	format() string
	// near is where the data leaves from, the zero value if none does.
	near() near
	close()
}

// past is a deadline for a look without waiting.
var past = time.Unix(1, 0)

func newForwarder(src capture.Source, out output, s rpcap.SamplingRequest, l *limits) *forwarder {
	f := &forwarder{source: src, out: out, sampler: newSampler(s), shedder: newShedder(processCPU), limits: l}
	f.shedding.Store(1)
	return f
}

// run forwards until the source ends or fails, or the output fails. io.EOF of the
// source is the regular end and no error.
//
// The goroutine is not locked to its thread: between two blocks the runtime would
// have to hand its processor to another thread and back. Nothing here depends on the
// thread; binding and niceness are those of the process.
func (f *forwarder) run() error {
	defer func() { f.limits.shed.change(f.shedder.n, 1) }()
	for {
		frames, err := f.source.Next(past)
		if err == os.ErrDeadlineExceeded { // nothing ready: what is packed leaves now
			if err := f.out.flush(); err != nil {
				return err
			}
			frames, err = f.source.Next(f.idleUntil())
		}
		if err != nil {
			f.progress.Add(1)
			if err == os.ErrDeadlineExceeded {
				f.watchCost(time.Now())
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

// idleUntil is how long to wait for frames. A source that can be woken is waited for without end, because a timer is
// dear on an idle interface: each one that expires wakes two threads of the runtime.
func (f *forwarder) idleUntil() time.Time {
	if _, ok := f.source.(waker); ok && f.limits.cpu.Load() == 0 && f.shedder.n == 1 {
		return time.Time{}
	}
	return time.Now().Add(idleWait)
}

// waker is a source whose Next another goroutine can make return.
type waker interface{ Wake() }

// wake makes an idle forwarder show that it moves.
func (f *forwarder) wake() {
	if w, ok := f.source.(waker); ok {
		w.Wake()
	}
}

// moves counts what the output does within one block, if that may take long.
func (f *forwarder) moves() uint64 {
	if o, ok := f.out.(interface{ moves() uint64 }); ok {
		return o.moves()
	}
	return 0
}

// block forwards the frames of one lease.
func (f *forwarder) block(frames []udpstr.Frame) error {
	all := len(frames)
	frames = f.sampler.keep(frames)
	sampled := all - len(frames)
	if f.limits.rate.on() || f.limits.cpu.Load() > 0 || f.shedder.n > 1 {
		frames = f.restrain(frames)
	}
	err := f.out.forward(frames)
	f.progress.Add(1)
	f.captured.Add(uint64(all))
	f.sampled.Add(uint64(sampled))
	f.dropped.Add(uint64(all - sampled - len(frames)))
	f.packed.Add(uint64(len(frames)))
	return err
}

// restrain applies the limits of the ini.
func (f *forwarder) restrain(frames []udpstr.Frame) []udpstr.Frame {
	now := time.Now()
	f.watchCost(now)
	return f.limits.rate.keep(f.shedder.keep(frames), now)
}

// watchCost follows MaxCPU, which holds for the whole agent: every capture sheds
// while all of them together cost too much.
func (f *forwarder) watchCost(now time.Time) {
	limit := f.limits.cpu.Load()
	if limit == 0 && f.shedder.n == 1 {
		return
	}
	if before := f.shedder.n; f.shedder.adjust(float64(limit), now) {
		f.shedding.Store(f.shedder.n)
		f.limits.shed.change(before, f.shedder.n)
	}
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
	n.RateDropped = f.dropped.Load()
	n.Captured = f.captured.Load()
	return n
}

// discard is the output of a dry run (-y): everything is counted, nothing leaves.
type discard struct{}

func newDiscard() output { return discard{} }

func (discard) forward([]udpstr.Frame) error { return nil }
func (discard) flush() error                 { return nil }
func (discard) giveUp()                      {}
func (discard) count(*Counters)              {}
func (discard) describe(*CaptureStatus)      {}
func (discard) format() string               { return "none (dry run)" }
func (discard) near() near                   { return near{} }
func (discard) close()                       {}
