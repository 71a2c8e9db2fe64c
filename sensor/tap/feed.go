package tap

import (
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// feed is one stream.
type feed struct {
	sink     *Sink
	linkType uint32 // LINKTYPE number
	possible bool
	counters sink.Counters // guarded by sink.mu. Bytes are those of the frames as they are written
}

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
	size := len(front) + len(payload)
	if !ok || !s.accepts || !s.queue.reserve(size) {
		f.counters.Dropped++
		s.mu.Unlock()
		return
	}
	first := s.queue.add(f, front, payload)
	f.counters.Waiting++
	s.mu.Unlock()
	if first { // Run sleeps only when it has taken everything
		select {
		case s.wake <- struct{}{}:
		default:
		}
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
