package capture

import (
	"errors"
)

// Stats: see Source. The counter of the kernel for received frames is not used: except on NetBSD it has those that the
// filter refused. So Received is what has been read, and what was dropped.
func (s *bpfSource) Stats() (Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !s.closed && s.draining.Load() == nil {
		if err = s.collect(); err != nil {
			err = opError("read", s.options.Interface, err)
		}
	}
	st := Stats{RingDrops: s.dropped, Refused: s.refused.Load(), Delivered: s.delivered.Load(), Bytes: s.bytes.Load()}
	st.Received = st.RingDrops + st.Refused + st.Delivered
	return st, err
}

// collect adds what the kernel has dropped since the last time. mu is held.
func (s *bpfSource) collect() error {
	if s.device == nil {
		return nil
	}
	n, err := s.device.drops()
	if err != nil {
		return err
	}
	s.dropped += uint64(n - s.lastDrop) // modulo 2^32
	s.lastDrop = n
	return nil
}

// Close: see Source.
func (s *bpfSource) Close() error {
	first, free := s.gate.close()
	if !first {
		return nil
	}
	s.mu.Lock()
	if s.draining.Load() == nil {
		_ = s.collect() // without it the numbers of the last collect stay
	}
	s.closed = true
	s.mu.Unlock()
	if free {
		return s.free()
	}
	s.sys.nudge()
	return nil
}

// free closes the devices. The gate has let the caller.
func (s *bpfSource) free() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.closeRetired()
	var err error
	if s.device != nil {
		err = s.device.close()
		s.device = nil
	}
	s.carried = nil
	return errors.Join(err, s.sys.close())
}

// closeRetired is the reader's, or of whom the gate lets free the source. mu is held.
func (s *bpfSource) closeRetired() {
	for _, d := range s.retired {
		d.close()
	}
	s.retired = nil
}
