package capture

// Stats: see Source. What Next has done is read first, so that the sums never show
// more delivered than received.
func (s *ringSource) Stats() (Stats, error) {
	delivered, refused := s.delivered.Load(), s.refused.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !s.closed {
		err = s.collect()
	}
	st := s.kernel
	st.Delivered, st.Bytes, st.Refused = delivered, s.bytes.Load(), refused
	return st, err
}

// collect adds what the kernel has counted since the last time. mu is held.
func (s *ringSource) collect() error {
	st, err := s.ring.statistics()
	if err != nil {
		return opError("read", s.options.Interface, err)
	}
	s.kernel.Received += uint64(st.Packets)
	s.kernel.RingDrops += uint64(st.Drops)
	s.kernel.RingFreeze += uint64(st.Freeze_q_cnt)
	// A device that is gone, or counts from zero again, adds nothing.
	if link, err := s.links.byIndex(s.index); err == nil {
		if link.missed > s.missed {
			s.kernel.InterfaceDrops += link.missed - s.missed
		}
		s.missed = link.missed
	}
	return nil
}
