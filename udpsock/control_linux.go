package udpsock

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlBuffer takes the control messages of one received message: UDP_GRO and SO_RXQ_OVFL, 4 bytes each, which are two
// times 24 bytes on 64-bit machines. Words, for the alignment.
type controlBuffer [8]uint64

// control is what the control messages say.
type control struct {
	segment  int // bytes of each datagram but the last of the message; 0: there is only one
	drops    uint32
	hasDrops bool
}

// parse reads the first n bytes. What does not have the shape of control messages is ignored from there on.
func (c *controlBuffer) parse(n int) (r control) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(c)), min(n, int(unsafe.Sizeof(*c))))
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		length := int(h.Len)
		if length < unix.CmsgLen(0) || length > len(b) {
			break
		}
		if data := b[unix.CmsgLen(0):length]; len(data) >= 4 {
			v := binary.NativeEndian.Uint32(data)
			switch {
			case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO:
				r.segment = int(int32(v))
			case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL:
				r.drops, r.hasDrops = v, true
			}
		}
		b = b[min(len(b), unix.CmsgSpace(length-unix.CmsgLen(0))):]
	}
	return r
}
