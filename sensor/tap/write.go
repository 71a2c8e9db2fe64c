package tap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
)

// writeUntil writes until ctx ends or the interface is gone; ended says that drain has returned.
func (s *Sink) writeUntil(ctx context.Context, d device, gone <-chan error) (err error, ended bool) {
	for {
		if err := s.writeQueued(d); err != nil {
			return err, false
		}
		select {
		case <-s.queue.Queued():
		case err := <-gone:
			return err, true
		case <-ctx.Done():
			return s.writeQueued(d), false
		}
	}
}

// writeQueued writes chunks until none is left.
func (s *Sink) writeQueued(d device) error {
	for {
		s.mu.Lock()
		c := s.queue.Take()
		s.mu.Unlock()
		if c == nil {
			return nil
		}
		if err := s.writeChunk(d, c); err != nil {
			return err
		}
		s.mu.Lock()
		s.queue.GiveBack(c)
		s.mu.Unlock()
	}
}

// writeChunk writes the frames of one chunk. A frame that is not taken is counted; only a device that is gone ends it.
func (s *Sink) writeChunk(d device, c *chunks.Chunk[queued]) error {
	begin, done := uint32(0), 0 // done: frames of which it is known what became
	for i := range c.Frames {
		frame := c.Data[begin:c.Frames[i].end]
		begin = c.Frames[i].end
		if n := need(frame); n > d.mtu() && !s.mtuLate {
			s.raise(d, n)
		}
		err := d.write(frame)
		switch {
		case err == nil:
			if s.refusing {
				s.recovered()
			}
		case errors.Is(err, errGone):
			s.mu.Lock()
			s.wrote(c, done, i)
			s.drop(c, i, len(c.Frames))
			s.mu.Unlock()
			return err
		default:
			s.refuse(c, done, i, len(frame), err)
			done = i + 1
		}
	}
	s.mu.Lock()
	s.wrote(c, done, len(c.Frames))
	s.mu.Unlock()
	return nil
}

// raise raises the MTU for a frame. A failure costs nothing here, for the kernel takes the frame all the same.
func (s *Sink) raise(d device, n int) {
	to := step(n)
	if err := d.raise(to); err != nil {
		s.mtuLate = true
		s.opts.Log.Warn("the MTU of the TAP interface was not raised; readers may cut long frames",
			zap.String("interface", s.opts.Interface), zap.Int("mtu", to), zap.Error(err))
		return
	}
	s.mu.Lock()
	s.mtuNow = d.mtu()
	s.mu.Unlock()
	s.opts.Log.Info("MTU of the TAP interface raised; restart readers that size their buffers by the MTU",
		zap.String("interface", s.opts.Interface), zap.Int("mtu", to))
}

// refuse counts frame i, which the kernel did not take, and those from done on before it, which it did. The first one with a cause
// is logged, and later how many there were.
func (s *Sink) refuse(c *chunks.Chunk[queued], done, i, size int, err error) {
	now := time.Now()
	missed, news := s.told.Due(s.told.Key("", err.Error(), now), 1, now)
	if errors.Is(err, errDown) {
		err = fmt.Errorf("write to TAP interface %s: %w; ip link set %s up", s.opts.Interface, err, s.opts.Interface)
	} else {
		err = fmt.Errorf("write a frame of %d bytes to TAP interface %s: %w", size, s.opts.Interface, err)
	}
	s.mu.Lock()
	s.wrote(c, done, i)
	s.drop(c, i, i+1)
	s.setState(sink.Degraded, err)
	s.mu.Unlock()
	if news {
		s.opts.Log.Warn("the kernel refused a frame; refused frames are counted as dropped", zap.Error(err), zap.Int("since_the_last_line", missed))
	}
	s.refusing = true
}

// recovered ends the state of a refused frame.
func (s *Sink) recovered() {
	s.refusing = false
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setState(sink.Running, nil)
}

// wrote counts the frames from i to before end as written; s.mu is held.
func (s *Sink) wrote(c *chunks.Chunk[queued], i, end int) {
	begin := uint32(0)
	if i > 0 {
		begin = c.Frames[i-1].end
	}
	for _, f := range c.Frames[i:end] {
		n := &f.feed.counters
		n.Waiting--
		n.Written++
		n.Bytes += uint64(f.end - begin)
		begin = f.end
	}
}

// drop counts the frames from i to before end as dropped; s.mu is held.
func (s *Sink) drop(c *chunks.Chunk[queued], i, end int) {
	for _, f := range c.Frames[i:end] {
		f.feed.counters.Waiting--
		f.feed.counters.Dropped++
	}
	s.refused += uint64(end - i)
}

// fail counts what is queued as dropped, and every further frame until the next opening.
func (s *Sink) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := s.queue.Take(); c != nil; c = s.queue.Take() {
		s.drop(c, 0, len(c.Frames))
	}
	s.queue.Clear()
	s.accepts = false
	s.setState(sink.Retrying, err)
	return fmt.Errorf("%w (%w)", err, sink.ErrTryAgain)
}

// Run implements sink.Sink. Every failure may be tried again: the interface is then made anew.
func (s *Sink) Run(ctx context.Context) error {
	s.mu.Lock()
	d := s.ready
	s.ready = nil
	s.mu.Unlock()
	if d == nil {
		var err error
		if d, err = s.open(&s.opts); err != nil {
			return s.fail(err)
		}
		s.mu.Lock()
		s.opened(d)
		s.mu.Unlock()
	}
	s.refusing, s.mtuLate = false, false
	gone := make(chan error, 1)
	go func() { gone <- d.drain() }()
	err, ended := s.writeUntil(ctx, d, gone)
	closeErr := d.close()
	if !ended {
		<-gone
	}
	if err == nil {
		err = closeErr
	}
	if err != nil && ctx.Err() == nil {
		return s.fail(err)
	}
	return err
}
