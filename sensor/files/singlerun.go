package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
)

// finalWriteTimeout bounds the writing of what is queued at the end, where the writer supports deadlines.
const finalWriteTimeout = 2 * time.Second

// Run implements sink.Sink.
func (s *Single) Run(ctx context.Context) error {
	if err := s.again(); err != nil {
		return s.fail(err)
	}
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	var tick <-chan time.Time // none: there is no file to look after
	if s.looks() {
		t := time.NewTicker(s.tick)
		defer t.Stop()
		tick = t.C
	}
	for {
		if err := s.writeQueued(); err != nil {
			return s.fail(err)
		}
		select {
		case <-s.queue.Queued():
		case <-tick:
			if err := s.look(); err != nil {
				return s.fail(err)
			}
		case <-trim.C:
			s.mu.Lock()
			s.queue.Trim(spareChunks)
			s.mu.Unlock()
		case <-ctx.Done():
			return s.finish()
		}
	}
}

// again begins a new section after a failure, as soon as the file takes it. Interfaces keep their numbers.
func (s *Single) again() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed {
		return nil
	}
	if f, ok := s.w.(*OneFile); ok {
		if err := f.again(); err != nil {
			return err
		}
	}
	s.failed, s.begun = false, false
	for _, i := range s.interfaces {
		i.queued = false
	}
	s.describe()
	return nil
}

// finish writes what is queued and the statistics.
func (s *Single) finish() error {
	if d, ok := s.w.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(finalWriteTimeout)) // files and blocking pipes have none
	}
	if err := s.writeQueued(); err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	now := time.Now()
	var b []byte
	for _, i := range s.interfaces {
		if i.queued {
			n := i.numbers
			n.End = now
			b = savefile.AppendStatistics(b, i.id, n)
		}
	}
	s.mu.Unlock()
	if _, err := s.w.Write(b); err != nil {
		return s.fail(err)
	}
	if err := s.look(); err != nil {
		return s.fail(err)
	}
	return nil
}

// writeQueued writes chunks until none is left.
func (s *Single) writeQueued() error {
	for {
		s.mu.Lock()
		c := s.queue.Take()
		s.mu.Unlock()
		if c == nil {
			return nil
		}
		n, err := s.w.Write(c.Data)
		if err != nil {
			s.wrotePart(c, n)
			return err
		}
		s.mu.Lock()
		for _, r := range c.Frames {
			s.wrote(r.iface, r.tally)
		}
		s.queue.GiveBack(c)
		s.mu.Unlock()
	}
}

// wrotePart settles a chunk of which only the first n bytes could be written.
func (s *Single) wrotePart(c *chunks.Chunk[singleRun], n int) {
	whole := savefile.Whole(c.Data[:n])
	s.mu.Lock()
	for b := range savefile.Blocks(c.Data[:whole]) {
		if b.IsPacket() {
			s.wrote(s.interfaces[b.Interface()], tally{1, uint64(b.Caplen())})
		}
	}
	s.mu.Unlock()
	_ = s.look() // before those that come later; the first error counts
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose(c.Data[whole:])
	s.queue.GiveBack(c)
}

// fail drops what is queued; further frames are counted as dropped.
func (s *Single) fail(err error) error {
	_ = s.look() // the first error counts
	s.mu.Lock()
	s.failed = true
	for c := s.queue.Take(); c != nil; c = s.queue.Take() {
		s.lose(c.Data)
	}
	s.queue.Clear()
	s.mu.Unlock()
	if isClosedPipe(err) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("write %s: %w (%w)", s.name, sink.ErrConsumerGone, err)
	}
	if s.looks() {
		return failure("write", s.name, err)
	}
	return fmt.Errorf("write %s: %w", s.name, err)
}
