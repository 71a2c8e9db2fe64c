package capture

import (
	"encoding/binary"
	"errors"
	"math"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"rpcapd/filter"
	"rpcapd/prefetch"
	"rpcapd/udpstr"
)

// This file alone uses unsafe pointers. They overlay the two headers of
// linux/if_packet.h on the mapped ring, and they are valid because
//
//   - the mapping is made before the first and removed after the last use (it is
//     Go memory to nobody: the collector neither moves nor frees it);
//   - a block is on a page boundary and a frame header on a multiple of 8, so that
//     every field is aligned; the walk checks both before it reads;
//   - the kernel does not write to a block whose status says that it is ours. The
//     three fields that are read while it is the kernel's (status, number of frames,
//     sequence number) are read atomically.
//
// Offsets and counts come from the kernel, but the pages are shared memory: each
// frame is checked to lie in its block (two comparisons that are never taken)
// before a slice of it is made.

// blockHeader is struct tpacket_block_desc with struct tpacket_hdr_v1.
type blockHeader struct {
	version, private uint32
	status           uint32 // TP_STATUS_KERNEL or TP_STATUS_USER and flags
	frames           uint32
	first            uint32 // offset of the first frame in the block
	used             uint32
	sequence         uint64 // counts the blocks that the kernel has begun, from 1
	begun, ended     [2]uint32
}

// frameHeader is struct tpacket3_hdr.
type frameHeader struct {
	next              uint32 // offset to the next frame; 0 in the last
	sec, nsec         uint32
	caplen, len       uint32
	status            uint32
	mac, net          uint16 // offsets from this header
	hash              uint32
	tagControl        uint32 // VLAN
	tagType, reserved uint16
	padding           [8]byte
}

const (
	frameHeaderLen = unsafe.Sizeof(frameHeader{})
	// packetTypeAt is where struct sockaddr_ll, behind the frame header, has
	// sll_pkttype.
	packetTypeAt = frameHeaderLen + 10
	tagLen       = 4
	addressesLen = 12 // destination and source of Ethernet, in front of the tag
	// What is read soon is fetched ahead: where a header is, only the one before tells, so
	// without it the cache misses come one after the other. Of small frames whole pieces of
	// the block are fetched, fetchPiece bytes, fetchAhead bytes on; of larger ones the header
	// that lies headersAhead frames on if they are of equal length (the packer fetches their
	// bytes).
	fetchPiece   = 2 << 10
	fetchAhead   = 4 << 10
	smallFrame   = 512
	headersAhead = 8
)

var errCorrupt = errors.New("corrupt block")

func headerOf(block []byte) *blockHeader {
	return (*blockHeader)(unsafe.Pointer(unsafe.SliceData(block)))
}

// ready says whether the block is ours to read.
func (h *blockHeader) ready() bool {
	return atomic.LoadUint32(&h.status)&unix.TP_STATUS_USER != 0
}

// untouched says whether nothing is in a block that is the kernel's.
func (h *blockHeader) untouched() bool { return atomic.LoadUint32(&h.frames) == 0 }

func (h *blockHeader) number() uint64 { return atomic.LoadUint64(&h.sequence) }

// release gives the block to the kernel. The frame count is cleared first: the
// kernel does so only when it begins the block, which may be much later, and until
// then untouched would be wrong.
func (h *blockHeader) release() {
	atomic.StoreUint32(&h.frames, 0)
	atomic.StoreUint32(&h.status, unix.TP_STATUS_KERNEL)
}

// walker goes once over the frame headers of one block.
type walker struct {
	block   []byte
	at      uintptr // offset of the next frame header
	fetched uintptr // at which offset to fetch again
	left    uint32  // frames not yet walked
	bytes   uint64  // of the frames that fill wrote last
	snaplen uint32
	vm      *filter.VM // nil: keep all
	tags    bool       // the link type has VLAN tags to put back
	skipOut bool       // leave out outgoing copies (loopback on old kernels)
}

func (w *walker) begin(block []byte, vm *filter.VM) {
	h := headerOf(block)
	w.block, w.vm = block, vm
	w.at, w.fetched, w.left = uintptr(h.first), 0, h.frames
}

// fill writes the next frames to dst and returns how many, and how many were
// refused in between. It stops when dst is full or the block is done (left is 0).
func (w *walker) fill(dst []udpstr.Frame) (n int, refused uint64, err error) {
	w.bytes = 0
	judged := w.vm != nil || w.skipOut
	for w.left > 0 && n < len(dst) {
		if w.at >= w.fetched {
			w.fetch()
		}
		if !judged {
			if k := w.plain(dst[n:]); k > 0 {
				n += k
				continue
			}
		}
		kept, err := w.next(&dst[n])
		if err != nil {
			return n, refused, err
		}
		if kept {
			n++
		} else {
			refused++
		}
	}
	return n, refused, nil
}

// plain writes frames that nobody judges, as far as they have been fetched, and
// returns how many. It leaves a corrupt one to next. What it calls is compiled in
// line, so that all it needs stays in registers.
func (w *walker) plain(dst []udpstr.Frame) (n int) {
	block := w.block
	base := unsafe.Pointer(unsafe.SliceData(block))
	size := uintptr(len(block))
	at, snaplen := w.at, w.snaplen
	end := min(w.fetched, size-frameHeaderLen+1)
	tagged := uint32(0)
	if w.tags {
		tagged = unix.TP_STATUS_VLAN_VALID
	}
	dst = dst[:min(uint32(len(dst)), w.left)]
	var bytes uint64
	for n < len(dst) && at < end && at%8 == 0 {
		h := (*frameHeader)(unsafe.Add(base, at))
		from := at + uintptr(h.mac)
		to := from + uintptr(h.caplen)
		if from < at+frameHeaderLen+tagLen || to > size {
			break
		}
		caplen, length := h.caplen, h.len
		if h.status&tagged != 0 {
			from, caplen, length = w.restoreTag(h, from, caplen)
		}
		caplen = min(caplen, snaplen)
		to = from + uintptr(caplen)
		bytes += uint64(caplen)
		f := &dst[n]
		n++
		f.Data = block[from:to:to]
		f.Len = length
		f.Sec = h.sec
		f.Usec = h.nsec / 1000
		at += uintptr(h.next)
	}
	w.at = at
	w.left -= uint32(n)
	w.bytes += bytes
	return n
}

// next writes the next frame to f, whatever it is, unless it is refused.
func (w *walker) next(f *udpstr.Frame) (kept bool, err error) {
	at, size := w.at, uintptr(len(w.block))
	if !w.inside() {
		return false, errCorrupt
	}
	h := w.header()
	from := at + uintptr(h.mac)
	to := from + uintptr(h.caplen)
	if from < at+frameHeaderLen+tagLen || to > size {
		return false, errCorrupt
	}
	w.at += uintptr(h.next)
	w.left--
	keep := w.judge(h, w.block[from:to], w.block[at+packetTypeAt])
	if keep == 0 {
		return false, nil
	}
	caplen, length := min(h.caplen, keep), h.len
	if h.status&unix.TP_STATUS_VLAN_VALID != 0 && w.tags {
		from, caplen, length = w.restoreTag(h, from, caplen)
	}
	caplen = min(caplen, w.snaplen)
	to = from + uintptr(caplen)
	w.bytes += uint64(caplen)
	f.Data = w.block[from:to:to]
	f.Len = length
	f.Sec = h.sec
	f.Usec = h.nsec / 1000
	return true, nil
}

// inside says whether a frame header lies where the next one should be.
func (w *walker) inside() bool {
	return w.at <= uintptr(len(w.block))-frameHeaderLen && w.at%8 == 0
}

// header returns the next frame header, which is inside.
func (w *walker) header() *frameHeader {
	return (*frameHeader)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(w.block)), w.at))
}

// fetch asks for what is read soon, and notes where to ask again.
func (w *walker) fetch() {
	at, size := w.at, uintptr(len(w.block))
	w.fetched = at + 1
	if !w.inside() {
		return
	}
	if next := uintptr(w.header().next); next > smallFrame {
		if far := at + headersAhead*next; far < size-frameHeaderLen {
			prefetch.Bytes(w.block[far : far+frameHeaderLen])
		}
		return
	}
	w.fetched = at + fetchPiece
	from, to := min(at+fetchAhead, size), min(at+fetchAhead+fetchPiece, size)
	prefetch.Bytes(w.block[from:to])
}

// judge returns how many bytes to keep, 0 for none. The program sees what it would
// see in the kernel: the frame without the tag, and the tag beside it.
func (w *walker) judge(h *frameHeader, frame []byte, packetType byte) uint32 {
	if w.skipOut && packetType == unix.PACKET_OUTGOING {
		return 0
	}
	if w.vm == nil {
		return math.MaxUint32
	}
	return uint32(max(0, w.vm.RunTagged(frame, h.len, filter.VLAN{
		Present: h.status&unix.TP_STATUS_VLAN_VALID != 0,
		TCI:     uint16(h.tagControl),
		TPID:    h.tagProtocol(),
	})))
}

// tagProtocol is 802.1Q on kernels (< 3.14) that do not tell.
func (h *frameHeader) tagProtocol() uint16 {
	if h.status&unix.TP_STATUS_VLAN_TPID_VALID == 0 {
		return unix.ETH_P_8021Q
	}
	return h.tagType
}

// restoreTag moves the addresses four bytes down into the gap, which
// PACKET_RESERVE keeps free, and writes the tag behind them. A frame that was cut
// within its addresses only gets its length on the wire corrected.
func (w *walker) restoreTag(h *frameHeader, from uintptr, caplen uint32) (uintptr, uint32, uint32) {
	if caplen < addressesLen {
		return from, caplen, h.len + tagLen
	}
	b := w.block[from-tagLen : from+addressesLen]
	copy(b, b[tagLen:])
	binary.BigEndian.PutUint16(b[addressesLen:], h.tagProtocol())
	binary.BigEndian.PutUint16(b[addressesLen+2:], uint16(h.tagControl))
	return from - tagLen, caplen + tagLen, h.len + tagLen
}
