package capture

import "time"

const (
	defaultRingBytes = 16 << 20
	// defaultRetire bounds how long a frame waits in a block that does not fill, for a
	// caller that does not say. The agent asks for 18 ms.
	defaultRetire = 12 * time.Millisecond
	// maxBlockBytes: larger blocks make larger batches, but the kernel then waits for
	// a whole free block before it writes again, and 2 MiB is 1,300 full-size frames.
	maxBlockBytes = 2 << 20
	// minBlockBytes holds any frame up to 64 KiB, the usual limit of receive offload.
	minBlockBytes = 128 << 10
	// wishBlocks is how many blocks a small ring is cut into before its blocks become
	// too small for the largest frame. While one is read the others take bursts.
	wishBlocks = 8
	// frameOverhead bounds what a frame takes in its block beside its bytes: block
	// header 48, frame header and address 68, gap and alignment, reserve.
	frameOverhead = 256
)

// geometry is the shape of a ring: count blocks of size bytes, a power of two and
// so a multiple of every page size up to minBlockBytes.
type geometry struct{ size, count int }

// plan chooses the blocks of a ring of about ringBytes whose frames are cut at
// snaplen by the filter. A frame that does not fit a block would be cut by the
// kernel, so a block holds the longest one and a ring has at least two.
func plan(ringBytes, blockBytes int, snaplen uint32) geometry {
	if ringBytes <= 0 {
		ringBytes = defaultRingBytes
	}
	least := minBlockBytes
	for least < int(snaplen)+frameOverhead {
		least *= 2
	}
	size := maxBlockBytes
	if blockBytes > 0 {
		size = least
		for size*2 <= blockBytes {
			size *= 2
		}
	} else {
		for size > least && ringBytes/size < wishBlocks {
			size /= 2
		}
	}
	return geometry{size: size, count: max(2, ringBytes/size)}
}

// snaplenOf maps 0 and what is too long to MaxSnaplen.
func snaplenOf(n uint32) uint32 {
	if n == 0 || n > MaxSnaplen {
		return MaxSnaplen
	}
	return n
}

// withDefaults are the options with what a source over a device needs of them.
func (o Options) withDefaults() Options {
	o.Snaplen = snaplenOf(o.Snaplen)
	if o.Retire <= 0 {
		o.Retire = defaultRetire
	}
	if o.RingBytes <= 0 {
		o.RingBytes = defaultRingBytes
	}
	return o
}
