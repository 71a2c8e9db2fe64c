package files

import (
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// Attach implements sink.Sink. A source seen before gets its old interface block again.
func (s *Single) Attach(src sink.Source) sink.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &singleFeed{sink: s}
	block := src.InterfaceBlock()
	if block.LinkType > savefile.MaxLinkType {
		return f // not to be expressed in a file: everything is counted out
	}
	if s.linkType < 0 {
		s.linkType = int64(block.LinkType)
	}
	if s.linkType != int64(block.LinkType) {
		if s.oneLinkType {
			s.say("frames of a second link type are left out, for readers such as tcpdump stop there; choose agents, or write a file and read it with Wireshark's programs", src)
			return f
		}
		s.say(mixedText, src)
	}
	key := keyOf(src)
	if i := s.index[key]; i != nil {
		f.iface = i
		return f
	}
	if len(s.interfaces) >= maxInterfaces {
		return f
	}
	f.iface = &singleInterface{id: uint32(len(s.interfaces)), block: block, numbers: savefile.Statistics{Start: time.Now()}}
	s.interfaces = append(s.interfaces, f.iface)
	s.index[key] = f.iface
	s.describe()
	return f
}

// say tells once of a second link type; s.mu is held.
func (s *Single) say(what string, src sink.Source) {
	if s.mixed {
		return
	}
	s.mixed = true
	s.log.Warn(what, zap.String("output", s.name), zap.Int64("first_link_type", s.linkType),
		zap.Uint32("link_type", savefile.FromDLT(src.LinkType)), zap.String("interface", printable.Name(src.Name())))
}

// Frame implements sink.Feed.
func (f *singleFeed) Frame(p *udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	first := f.enqueue(p)
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// Frames implements sink.BatchFeed.
func (f *singleFeed) Frames(batch []udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	first, ok := f.enqueueAll(batch)
	if !ok { // as many as there is room for
		for i := range batch {
			first = f.enqueue(&batch[i]) || first
		}
	}
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// enqueueAll takes frames if a chunk has room for them all; else ok is false, and nothing has happened. sink.mu is held.
func (f *singleFeed) enqueueAll(batch []udpstr.Packet) (first, ok bool) {
	s := f.sink
	if f.iface == nil || !f.iface.queued || s.failed {
		return false, false
	}
	size, t := 0, tally{frames: uint64(len(batch))}
	for i := range batch {
		n := min(len(batch[i].Data), savefile.MaxFrame)
		size += savefile.PacketSize(n)
		t.bytes += uint64(n)
	}
	c, first := s.queue.Reserve(size)
	if c == nil {
		return false, false
	}
	for i := range batch {
		c.Data = savefile.AppendPacket(c.Data, f.iface.id, &batch[i])
	}
	f.took(c, t)
	return first, true
}

// took counts what was appended to a chunk; sink.mu is held.
func (f *singleFeed) took(c *chunks.Chunk[singleRun], t tally) {
	i := f.iface
	if k := len(c.Frames); k > 0 && c.Frames[k-1].iface == i {
		c.Frames[k-1].add(t)
	} else {
		c.Frames = append(c.Frames, singleRun{i, t})
	}
	if f.waiting.frames == 0 {
		i.waiting = append(i.waiting, f)
	}
	f.waiting.add(t)
	f.counters.Waiting += t.frames
	i.numbers.Delivered += t.frames
}

// enqueue takes a frame or counts it as dropped; first says that nothing else waits. sink.mu is held.
func (f *singleFeed) enqueue(p *udpstr.Packet) (first bool) {
	s := f.sink
	var c *chunks.Chunk[singleRun]
	switch {
	case f.iface == nil:
		s.unfit++
	case s.failed || !f.iface.queued && !s.describe():
	default:
		c, first = s.queue.Reserve(savefile.PacketSize(len(p.Data)))
	}
	if c == nil {
		f.counters.Dropped++
		return false
	}
	c.Data = savefile.AppendPacket(c.Data, f.iface.id, p)
	f.took(c, tally{1, uint64(min(len(p.Data), savefile.MaxFrame))})
	return first
}

// Counters implements sink.Feed.
func (f *singleFeed) Counters() sink.Counters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.counters
}

// Detach implements sink.Feed.
func (f *singleFeed) Detach(sum sink.Forwarded) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	if f.iface != nil {
		addForwarded(&f.iface.numbers, sum)
	}
}
