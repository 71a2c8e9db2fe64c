package files

import (
	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// Frame implements sink.Feed.
func (f *feed) Frame(p *udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	first := f.enqueue(p)
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// Frames implements sink.BatchFeed.
func (f *feed) Frames(batch []udpstr.Packet) {
	s := f.sink
	first := false
	s.mu.Lock()
	for i := range batch {
		first = f.enqueue(&batch[i]) || first
	}
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// enqueue takes a frame or counts it as dropped; first says that nothing else waits. sink.mu is held.
func (f *feed) enqueue(p *udpstr.Packet) (first bool) {
	s := f.sink
	switch {
	case f.crowded:
		s.crowded++
	case f.stream == nil:
		s.unfit++
	case s.accepts:
		var c *chunks.Chunk[struct{}]
		if c, first = s.queue.Reserve(savefile.PacketSize(len(p.Data))); c != nil {
			c.Data = savefile.AppendPacket(c.Data, f.id, p)
			f.counters.Waiting++
			return first
		}
	}
	f.counters.Dropped++
	return false
}

// Counters implements sink.Feed.
func (f *feed) Counters() sink.Counters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.counters
}

// Detach implements sink.Feed. The end goes through the queue, behind the last frame.
func (f *feed) Detach(sum sink.Forwarded) {
	if f.stream == nil {
		return
	}
	s := f.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.accepts {
		s.release(f.id)
		return
	}
	c, _ := s.queue.ReserveBeyond(detachSize)
	c.Data = appendDetach(c.Data, f.id, sum)
	s.queue.Signal()
}
