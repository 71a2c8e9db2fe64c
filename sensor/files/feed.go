package files

import (
	"encoding/binary"

	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

const (
	// chunkSize is the most memory of one write, so that a frame of the largest size (262,144 bytes) always fits into a chunk.
	// A chunk is handed over when chunkFull bytes are in it; frames of up to 64 KiB need no more than chunkUsual, which costs
	// fewer page faults and stays in a cache.
	chunkSize  = 512 << 10
	chunkUsual = 288 << 10
	chunkFull  = 224 << 10
	// queueChunks bounds a sink's memory (16 MiB). A disk that stalls longer than this holds loses frames.
	queueChunks = 32
	// spareChunks stay when nothing was queued for a while; the memory of a burst goes back.
	spareChunks = 2
)

// queue holds encoded frames until they are written.
type queue = chunks.Queue[struct{}]

var bounds = chunks.Bounds{Size: chunkSize, Usual: chunkUsual, Full: chunkFull, Chunks: queueChunks, Spare: queueChunks}

func newQueue() *queue { return chunks.New[struct{}](bounds) }

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
