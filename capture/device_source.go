package capture

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// deviceSource is a Source over a device. It leases one frame at a time, in the memory of the device. It checks filter
// and snap length of each frame once more: a handle may deliver what arrived before it had the filter.
type deviceSource struct {
	sieve
	options Options
	traits  deviceTraits
	link    uint32                 // link type, fixed
	open    func() (device, error) // for the first handle, and when one has failed
	pause   pause
	gate    gate
	woken   atomic.Bool // Wake was called

	// The reader's.
	lease [1]udpstr.Frame
	end   error // once set, all that Next returns

	setting sync.Mutex // one SetFilter at a time; before mu

	mu       sync.Mutex // guards the handle and all below
	handle   device     // nil: lost
	current  filter.Program
	pending  *filterChange
	backlog  []udpstr.Frame // copies of what was read ahead of a new filter, and has passed the old one
	meter    dropMeter
	lost     lostDevice
	closed   bool
	draining time.Time // since Drain; zero: not
	drainEnd time.Time
}

// newDeviceSource opens the device and takes p over, also when it fails.
func newDeviceSource(o Options, t deviceTraits, p pause, open func() (device, error)) (*deviceSource, error) {
	o.Snaplen = snaplenOf(o.Snaplen)
	s := &deviceSource{
		sieve:   sieve{name: o.Interface, snaplen: int(o.Snaplen), tagsInBytes: !t.tagsApart},
		options: o, traits: t, open: open, pause: p, current: o.Filter,
	}
	d, err := open()
	if err == nil {
		s.link = d.linkType()
		if err = s.adopt(d); err != nil {
			d.close()
		}
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return s, nil
}

func (s *deviceSource) LinkType() uint32 { return s.link }

// Stats: see Source. What waits in the device is not known and not in Received.
func (s *deviceSource) Stats() (Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.collect()
	st, _ := s.sieve.Stats() // never fails
	st.RingDrops, st.InterfaceDrops = s.meter.ring, s.meter.iface
	st.Received += st.RingDrops
	return st, err
}

// collect adds what the device has counted since the last time. mu is held.
func (s *deviceSource) collect() error {
	if s.handle == nil {
		return nil
	}
	now, err := s.handle.drops()
	if err != nil {
		return opError("read", s.options.Interface, err)
	}
	s.meter.add(now)
	return nil
}

// Drain: see Source. Frames are accepted until the device has been found empty, because a filter that refuses all would
// throw away what waits in it.
func (s *deviceSource) Drain(limit time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return opError("drain", s.options.Interface, net.ErrClosed)
	}
	if s.draining.IsZero() {
		s.draining = time.Now()
		s.drainEnd = s.draining.Add(limit)
		s.pause.wake()
	}
	return nil
}

// Wake makes a Next that waits, or else the next one that would, return os.ErrDeadlineExceeded. Any goroutine may call
// it, at any time.
func (s *deviceSource) Wake() {
	s.woken.Store(true)
	s.pause.wake()
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
		s.free()
	} else {
		s.pause.wake()
	}
	return nil
}

// free closes the handle. The gate has let the caller.
func (s *deviceSource) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle != nil {
		s.handle.close()
		s.handle = nil
	}
	s.backlog = nil
	s.pause.close()
}
