package tap

import (
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// Frame implements sink.Feed.
func (f *feed) Frame(p *udpstr.Packet) {
	s := f.sink
	var front []byte
	payload, ok := p.Data, f.possible
	var h [headerLen]byte
	switch {
	case !ok:
	case f.linkType == linkEthernet:
		ok = fits(payload)
	default:
		h, payload, ok = header(f.linkType, p.Data)
		front = h[:]
		if ok && len(payload) < leastVLAN-headerLen && tags(front) > 0 {
			ok = false
		}
	}
	s.mu.Lock()
	if !ok {
		s.unfit++
	}
	var c *chunks.Chunk[queued]
	var first bool
	if ok && s.accepts {
		c, first = s.queue.Reserve(len(front) + len(payload))
	}
	if c == nil {
		f.counters.Dropped++
		s.mu.Unlock()
		return
	}
	c.Data = append(append(c.Data, front...), payload...)
	c.Frames = append(c.Frames, queued{uint32(len(c.Data)), f})
	f.counters.Waiting++
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// Counters implements sink.Feed.
func (f *feed) Counters() sink.Counters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.counters
}

// Detach implements sink.Feed. What is still queued is written.
func (f *feed) Detach(sink.Forwarded) {}
