package files

import (
	"encoding/binary"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// recordDetach is the type of what the queue has at the end of a stream, in the form of a block. No file gets it:
//
//	 0  type, length, number of the stream  12
//	12  1 if the rest is known               4
//	16  received, dropped by the interface, by the ring  24
//	40  length                               4
const (
	recordDetach = 0x80000001
	detachSize   = 44
)

// feed is one stream.
type feed struct {
	sink     *Sink
	id       uint32
	stream   *stream       // nil: everything is counted out
	crowded  bool          // there are files enough
	counters sink.Counters // guarded by sink.mu
}

// Frame implements sink.Feed.
func (f *feed) Frame(p *udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	switch {
	case f.crowded:
		s.crowded++
		f.counters.Dropped++
	case f.stream == nil:
		s.unfit++
		f.counters.Dropped++
	case !s.accepts || !s.queue.reserve(savefile.PacketSize(len(p.Data)), false):
		f.counters.Dropped++
	default:
		f.enqueue(p)
		return
	}
	s.mu.Unlock()
}

// enqueue takes a frame; sink.mu is held, and is not any more afterwards.
func (f *feed) enqueue(p *udpstr.Packet) {
	s := f.sink
	c, first := s.queue.last()
	*c = savefile.AppendPacket(*c, f.id, p)
	f.counters.Waiting++
	s.mu.Unlock()
	if first {
		s.signal()
	}
}

// signal tells Run that there is something to write.
func (s *Sink) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
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
	if !s.accepts || !s.queue.reserve(detachSize, true) {
		s.release(f.id)
		return
	}
	c, _ := s.queue.last()
	*c = appendDetach(*c, f.id, sum)
	s.signal()
}

func appendDetach(b []byte, id uint32, sum sink.Forwarded) []byte {
	known := uint32(0)
	if sum.Known {
		known = 1
	}
	for _, n := range []uint32{recordDetach, detachSize, id, known} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, n := range []uint64{sum.Received, sum.InterfaceDropped, sum.KernelDropped} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return binary.LittleEndian.AppendUint32(b, detachSize)
}

func parseDetach(b []byte) sink.Forwarded {
	n := func(at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
	return sink.Forwarded{Known: b[12] == 1, Received: n(16), InterfaceDropped: n(24), KernelDropped: n(32)}
}
