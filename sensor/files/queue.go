package files

import (
	"encoding/binary"
	"time"

	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
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

// trimEvery is how often memory that is not needed is given back.
const trimEvery = 5 * time.Second

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
