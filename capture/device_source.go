package capture

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// deviceSource is a Source over a device: on Windows, macOS and the BSDs. It leases what one read gives, in the memory
// of the device.
type deviceSource struct {
	tally
	options Options // with defaults; Filter is the current one (mu)
	traits  deviceTraits
	link    uint32 // link type, fixed
	sys     deviceSystem
	gate    gate
	woken   atomic.Bool // Wake was called

	// The reader's.
	frames []udpstr.Frame // reused for each lease
	end    error          // once set, all that Next returns

	setting sync.Mutex // one SetFilter at a time; before mu

	mu           sync.Mutex                                                // guards the device and all below
	handle       device                                                    // nil: lost
	divide       func(filter.Program) ([]bpf.RawInstruction, judge, error) // of the last device
	judges       []judge                                                   // each must keep a frame
	after, until int64                                                     // frames up to after, or later than until, are not this device's; microseconds since 1970, 0 is no limit
	leased       bool                                                      // the last Next returned frames in the memory of the device
	retired      []device                                                  // to be closed by the reader, which may wait for one
	pending      *filterChange
	backlog      []udpstr.Frame // copies of what was read ahead of a new filter, and has passed the old one
	meter        dropMeter
	watch        deviceWatch
	closed       bool
	draining     time.Time // since Drain; zero: not
	drainEnd     time.Time
}

// newDeviceSource opens a device and takes sys over, also when it fails.
func newDeviceSource(o Options, t deviceTraits, sys deviceSystem) (*deviceSource, error) {
	s := &deviceSource{options: o.withDefaults(), traits: t, sys: sys, frames: make([]udpstr.Frame, t.frames)}
	d, j, err := s.attach(o.Filter)
	if err != nil {
		_ = sys.close() // the first error counts
		return nil, opError("open", o.Interface, err)
	}
	s.link = d.linkType()
	s.adopt(d, j)
	return s, nil
}

// attach opens a device with a filter.
func (s *deviceSource) attach(p filter.Program) (device, judge, error) {
	d, err := s.sys.open()
	if err != nil {
		return nil, judge{}, err
	}
	kernel, j, err := d.divide(p)
	if err == nil {
		err = d.start(kernel)
	}
	if err != nil {
		_ = d.close() // the first error counts
		return nil, judge{}, err
	}
	return d, j, nil
}

// adopt goes over to a new device. mu is held, or nobody else knows s.
func (s *deviceSource) adopt(d device, j judge) {
	s.handle, s.divide, s.judges = d, d.divide, []judge{j}
	s.leased = false
	s.meter.restart()
}

func (s *deviceSource) LinkType() uint32 { return s.link }

// Stats: see Source. What waits in the device is not known and not in Received.
func (s *deviceSource) Stats() (Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.collect()
	st := s.sums()
	st.RingDrops, st.InterfaceDrops = s.meter.ring, s.meter.iface
	st.Received += st.RingDrops
	return st, err
}

// collect adds what the device has counted since the last time. After Drain, what has a time stamp does not count any
// more. mu is held.
func (s *deviceSource) collect() error {
	if s.handle == nil || s.closed || s.traits.stamped && !s.draining.IsZero() {
		return nil
	}
	now, err := s.handle.drops()
	if err != nil {
		return opError("read", s.options.Interface, err)
	}
	s.meter.add(now)
	return nil
}

// Drain: see Source. The program of the device stays: another one would throw away what waits in it. By their time stamps
// later frames are told from those that count. Where these are not to be relied on, frames are accepted until the device has
// been found empty.
func (s *deviceSource) Drain(limit time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return opError("drain", s.options.Interface, net.ErrClosed)
	}
	if !s.draining.IsZero() {
		return nil
	}
	now := time.Now()
	var err error
	if s.traits.stamped {
		s.until = now.UnixMicro()
		err = s.collect()
	}
	s.draining, s.drainEnd = now, now.Add(limit)
	s.sys.wake()
	return err
}

// drained says whether Drain was called and nothing more will come, now that a read has given n frames, the last one
// with that time stamp. mu is held.
func (s *deviceSource) drained(now time.Time, n int, last int64) bool {
	return !s.draining.IsZero() && now.Sub(s.draining) >= s.traits.settle &&
		(n == 0 || s.traits.stamped && last > s.until+s.traits.settle.Microseconds())
}

// Wake makes a Next that waits, or else the next one that would, return os.ErrDeadlineExceeded. Any goroutine may call
// it, at any time.
func (s *deviceSource) Wake() {
	s.woken.Store(true)
	s.sys.wake()
}

// Close: see Source.
func (s *deviceSource) Close() error {
	first, free := s.gate.close()
	if !first {
		return nil
	}
	s.mu.Lock()
	_ = s.collect() // without it the numbers of the last time stay
	s.closed = true
	s.mu.Unlock()
	if free {
		return s.free()
	}
	s.sys.wake()
	return nil
}

// free closes the device. The gate has let the caller.
func (s *deviceSource) free() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.handle != nil {
		err = s.handle.close()
		s.handle = nil
	}
	s.closeRetired()
	s.backlog = nil
	return errors.Join(err, s.sys.close())
}

// closeRetired is the reader's, or of whom the gate lets free the source. mu is held.
func (s *deviceSource) closeRetired() {
	for _, d := range s.retired {
		_ = d.close() // it was only read
	}
	s.retired = nil
}
