package files

import "rpcapd/savefile"

// What becomes of the frames of a Single. Those of an interface wait in the order in which they came, whatever feed brought
// them, and leave in that order: written if a pipe has taken them, or if the file is still where it belongs at the next look,
// else dropped.

// looks reports whether the stream is in a file, of which only a look shows whether it is where it belongs.
func (s *Single) looks() bool {
	f, ok := s.w.(*OneFile)
	return ok && f.regular
}

// wrote notes frames of an interface that were written; s.mu is held.
func (s *Single) wrote(i *singleInterface, t tally) {
	if s.looks() {
		i.unlooked.add(t)
		return
	}
	i.settle(t, (*singleFeed).wrote)
}

// look settles the frames in a file that is where it belongs; those in one that is not are lost.
func (s *Single) look() error {
	f, ok := s.w.(*OneFile)
	if !ok || !f.regular || !f.begun {
		return nil
	}
	err := f.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.interfaces {
		t := i.unlooked
		i.unlooked = tally{}
		if err == nil {
			i.settle(t, (*singleFeed).wrote)
		} else {
			s.loseOf(i, t)
		}
	}
	return err
}

// lose counts the frames in bytes of the queue as dropped; s.mu is held.
func (s *Single) lose(b []byte) {
	for b := range savefile.Blocks(b) {
		if b.IsPacket() {
			s.loseOf(s.interfaces[b.Interface()], tally{1, uint64(b.Caplen())})
		}
	}
}

func (s *Single) loseOf(i *singleInterface, t tally) {
	s.lost.add(t)
	i.numbers.Delivered -= t.frames
	i.settle(t, (*singleFeed).dropped)
}

// settle tells the feeds whose frames were the first to wait.
func (i *singleInterface) settle(t tally, become func(*singleFeed, tally)) {
	for t.frames > 0 && len(i.waiting) > 0 {
		f := i.waiting[0]
		part := f.waiting
		if t.frames < part.frames {
			part = t
		}
		f.waiting, t = f.waiting.less(part), t.less(part)
		f.counters.Waiting -= part.frames
		become(f, part)
		if f.waiting.frames == 0 {
			i.waiting[0] = nil
			i.waiting = i.waiting[1:]
		}
	}
}

func (f *singleFeed) wrote(t tally) {
	f.counters.Written += t.frames
	f.counters.Bytes += t.bytes
}

func (f *singleFeed) dropped(t tally) { f.counters.Dropped += t.frames }
