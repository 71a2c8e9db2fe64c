package capture

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

const (
	// bpfFrames is how many frames of a read are presented at a time (see leaseFrames).
	bpfFrames = 2048
	// gatherStep is how often the fill of the kernel's buffers is looked at while frames gather in them. At 1 Gbit/s
	// that is 500 KB, and the largest buffer that FreeBSD gives by default is 512 KB, twice.
	gatherStep = 4 * time.Millisecond
	// bpfBuffers is how many buffers of the kernel may have frames.
	bpfBuffers = 2
	// bpfReads bounds the reads of one call, so that a flood that is refused here cannot hold it.
	bpfReads = 4
)

// bpfSource is a Source over /dev/bpf. A frame is noticed at once (BIOCIMMEDIATE); it waits for Options.Retire for
// others that can be read with it, less long when the kernel's buffer is half full.
type bpfSource struct {
	options  Options // snap length and retire time resolved; Filter is the current one (mu)
	linkType uint32
	sys      bpfSystem
	gate     gate

	// The reader's.
	walk    recordWalker
	buffer  []byte
	frames  []udpstr.Frame // reused for each lease
	end     error          // once set, all that Next returns
	since   time.Time      // when frames were first seen waiting; zero: none are
	follow  bpfFollow
	late    int // while draining: reads since everything that counts is in the buffers
	emptied bool

	delivered, bytes, refused atomic.Uint64

	changing sync.Mutex // held by SetFilter and Drain, before mu
	mu       sync.Mutex
	device   bpfDevice // nil while the interface is gone
	strip    int
	judge    judge
	scratch  []byte      // of carry, while SetFilter or Drain works
	until    int64       // of the device, when another one is about to take its place; see batch
	carried  []batch     // read by SetFilter or Drain, before what the device has now
	retired  []bpfDevice // to be closed by the reader, which may wait for one
	dropped  uint64
	lastDrop uint32 // the counter of the device when last read
	closed   bool

	draining atomic.Pointer[bpfDrain]
	woken    atomic.Bool // Wake was called
}

// newBPFSource attaches a first device. It frees the system if it fails.
func newBPFSource(sys bpfSystem, layout recordLayout, o Options) (*bpfSource, error) {
	o.Snaplen = snaplenOf(o.Snaplen)
	if o.Retire <= 0 {
		o.Retire = defaultRetire
	}
	if o.RingBytes <= 0 {
		o.RingBytes = defaultRingBytes
	}
	s := &bpfSource{options: o, sys: sys, frames: make([]udpstr.Frame, bpfFrames)}
	d, j, err := s.attach(o.Filter)
	if err != nil {
		_ = sys.close() // the first error counts
		return nil, opError("open", o.Interface, err)
	}
	link := d.link()
	s.device, s.judge, s.strip, s.linkType = d, j, link.strip, link.linkType
	s.walk = recordWalker{layout: layout, snaplen: o.Snaplen, strip: link.strip}
	s.follow = bpfFollow{timeToBack: bpfTimeToBack}
	return s, nil
}

// attach opens a device with a filter.
func (s *bpfSource) attach(p filter.Program) (bpfDevice, judge, error) {
	d, err := s.sys.open(s.options.Interface, s.options.RingBytes/2, s.options.Promiscuous) // the kernel has two
	if err != nil {
		return nil, judge{}, err
	}
	kernel, j, err := bpfProgram(p, d.link().strip)
	if err == nil {
		err = d.start(kernel)
	}
	if err != nil {
		d.close()
		return nil, judge{}, err
	}
	return d, j, nil
}

func (s *bpfSource) LinkType() uint32 { return s.linkType }

// Next: see Source.
func (s *bpfSource) Next(deadline time.Time) ([]udpstr.Frame, error) {
	s.Release()
	if !s.gate.enter() {
		return nil, net.ErrClosed
	}
	frames, err := s.next(deadline)
	if err != nil && s.gate.leave() {
		_ = s.free() // err counts, and Close has returned
	}
	return frames, err
}

func (s *bpfSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	for now := time.Now(); s.end == nil; now = time.Now() {
		frames, err := s.take(now)
		s.tellAll()
		if frames != nil || err != nil {
			return frames, err
		}
		switch {
		case s.gate.closed():
			return nil, net.ErrClosed
		case s.drained(now):
			return nil, s.finish(io.EOF)
		case !deadline.IsZero() && !now.Before(deadline), s.woken.Swap(false):
			return nil, os.ErrDeadlineExceeded
		}
		if err := s.wait(now, deadline); err != nil {
			return nil, s.finish(opError("read", s.options.Interface, err))
		}
		err = s.checkLink(time.Now())
		s.tellAll()
		if err != nil {
			return nil, s.finish(err)
		}
	}
	return nil, s.end
}

// Release: see Source. The memory is this process's, and is used again by the next read.
func (s *bpfSource) Release() {
	if s.gate.leave() {
		_ = s.free() // Close has returned, so nobody is left to tell
	}
}

// finish makes err what Next returns from now on.
func (s *bpfSource) finish(err error) error {
	s.end = err
	return err
}

// take presents the next frames if any are ready.
func (s *bpfSource) take(now time.Time) ([]udpstr.Frame, error) {
	for reads := 0; ; {
		if s.walk.done() {
			if reads++; reads > bpfReads {
				return nil, nil
			}
			if more, err := s.load(now); !more || err != nil {
				return nil, err
			}
		}
		n, refused, err := s.walk.fill(s.frames)
		if err != nil {
			return nil, s.finish(opError("read", s.options.Interface, fmt.Errorf("capture device: %w at byte %d of %d", err, s.walk.at, len(s.walk.data))))
		}
		if refused > 0 {
			s.refused.Add(refused)
		}
		if n > 0 {
			s.delivered.Add(uint64(n))
			s.bytes.Add(s.walk.bytes)
			return s.frames[:n], nil
		}
	}
}

// load begins the walk over what was carried over from before, or what is ready in the device; false: nothing is.
func (s *bpfSource) load(now time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeRetired()
	if len(s.carried) > 0 {
		s.walk.begin(s.carried[0])
		s.carried[0] = batch{}
		s.carried = s.carried[1:]
		return true, nil
	}
	drain := s.draining.Load()
	if s.device == nil || drain == nil && !s.gathered(now) {
		return false, nil
	}
	s.since = time.Time{}
	if len(s.buffer) != s.device.size() {
		s.buffer = make([]byte, s.device.size())
	}
	n, err := s.device.read(s.buffer)
	if err != nil {
		return false, s.lost(now, err)
	}
	b := batch{data: s.buffer[:n], judges: []judge{s.judge}, until: s.until}
	if drain != nil {
		b.until = drain.until
		if !now.Before(drain.settled) {
			s.late++
			s.emptied = n == 0 || s.late > bpfBuffers
		}
	}
	s.walk.begin(b)
	return n > 0, nil
}

// gathered says whether the device should be read now. mu is held.
func (s *bpfSource) gathered(now time.Time) bool {
	if ready, err := s.sys.wait(s.device, 0); err != nil || !ready {
		s.since = time.Time{}
		return false
	}
	if s.since.IsZero() {
		s.since = now
	}
	if now.Sub(s.since) >= s.options.Retire {
		return true
	}
	n, err := s.device.waiting()
	return err != nil || n >= s.device.size()/2 // the read tells the error
}

// wait blocks until there may be something to do.
func (s *bpfSource) wait(now, deadline time.Time) error {
	timeout := s.follow.next.Sub(now)
	sooner := func(t time.Time) { timeout = min(timeout, t.Sub(now)) }
	if !deadline.IsZero() {
		sooner(deadline)
	}
	s.mu.Lock()
	d := s.device // SetFilter may replace it, and leaves the old one open until the next load
	s.mu.Unlock()
	switch drain := s.draining.Load(); {
	case drain != nil:
		sooner(now.Add(time.Millisecond))
		d = nil
	case !s.since.IsZero():
		sooner(now.Add(gatherStep))
		sooner(s.since.Add(s.options.Retire))
		d = nil
	}
	_, err := s.sys.wait(d, max(0, timeout))
	return err
}

// Wake makes a Next that waits, or else the next one that would, return os.ErrDeadlineExceeded. Any goroutine may call
// it, at any time.
func (s *bpfSource) Wake() {
	s.woken.Store(true)
	s.sys.nudge()
}
