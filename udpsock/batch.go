package udpsock

import "net/netip"

const (
	// slotSize holds the longest message: GRO joins up to 65,535 bytes of IP packet.
	slotSize = 64 << 10
	// slotStride is not a multiple of a power of two, or else the first lines of all slots would fall into the same few sets
	// of the caches. A multiple of the line, 64.
	slotStride = slotSize + 17*64
	// messageDatagrams is the most datagrams of a message for which there is room without allocating: UDP_MAX_SEGMENTS since Linux 6.9.
	messageDatagrams = 128
)

// batch is what one Receive brought: messages in slots, and where in them the datagrams are.
type batch struct {
	buf       []byte
	sources   []netip.AddrPort // of each message
	shapes    []shape          // likewise
	datagrams []extent
}

// shape is where a message ends, and how long its datagrams are but the last.
type shape struct{ end, size uint32 }

// extent is a datagram in the buffer of its batch.
type extent struct {
	message     uint32
	offset, end uint32
}

func newBatch(messages int) batch {
	return batch{
		buf:       make([]byte, messages*slotStride),
		sources:   make([]netip.AddrPort, messages),
		shapes:    make([]shape, messages),
		datagrams: make([]extent, 0, messages*messageDatagrams),
	}
}

func (b *batch) reset() { b.datagrams = b.datagrams[:0] }

// slot is the buffer of a message.
func (b *batch) slot(message int) []byte {
	return b.buf[message*slotStride : message*slotStride+slotSize : message*slotStride+slotSize]
}

// add enters the datagrams of a message of n bytes that is cut each size bytes; size 0 means that it is one datagram.
func (b *batch) add(message int, source netip.AddrPort, n, size int) {
	b.sources[message] = source
	at := uint32(message * slotStride)
	end := at + uint32(n)
	if size <= 0 || size >= n {
		b.shapes[message] = shape{end, uint32(n)}
		b.datagrams = append(b.datagrams, extent{uint32(message), at, end})
		return
	}
	b.shapes[message] = shape{end, uint32(size)}
	for at < end {
		next := min(at+uint32(size), end)
		b.datagrams = append(b.datagrams, extent{uint32(message), at, next})
		at = next
	}
}

func (b *batch) datagram(i int) (netip.AddrPort, []byte) {
	d := b.datagrams[i]
	return b.sources[d.message], b.buf[d.offset:d.end:d.end]
}

func (b *batch) run(i int) (source netip.AddrPort, run []byte, size, n int) {
	d := b.datagrams[i]
	m := b.shapes[d.message]
	run = b.buf[d.offset:m.end:m.end]
	if size = int(m.size); size == 0 {
		return b.sources[d.message], run, 0, 1
	}
	return b.sources[d.message], run, size, (len(run) + size - 1) / size
}
