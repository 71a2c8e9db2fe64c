package capture

import (
	"encoding/binary"
	"errors"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// recordLayout says where struct bpf_hdr, which stands in front of each frame that is read from /dev/bpf, has its
// fields. The systems differ in the size of the time stamp, and in what they align to:
//
//	                                      seconds  microseconds  caplen, datalen  hdrlen   aligned to
//	macOS, OpenBSD (struct timeval32)      0, 4     4, 4          8, 12            16, 2     4
//	FreeBSD, NetBSD, DragonFly, 64 bits    0, 8     8, 8          16, 20           24, 2     8
//	FreeBSD, NetBSD on a CPU of 32 bits    0, 4     4, 4          8, 12            16, 2     4
//	FreeBSD on arm                         0, 8     8, 4          16, 20           24, 2     4
//
// All integers have the byte order of the machine. hdrlen is the distance from the header to the frame: the kernel
// makes it larger than the header, so that the IP header is aligned. BPF_WORDALIGN of hdrlen and caplen leads to the
// next record.
type recordLayout struct {
	secSize, usecAt, usecSize int // bytes; the seconds are at 0
	caplenAt                  int // captured length, 4 bytes; the length on the wire follows it
	hdrlenAt                  int
	align                     int // a power of two
}

// headerLen is how many bytes of the header are read.
func (l *recordLayout) headerLen() int { return l.hdrlenAt + 2 }

var errRecord = errors.New("corrupt record")

// recordWalker goes once over the records of one read from /dev/bpf.
type recordWalker struct {
	layout  recordLayout
	snaplen uint32
	strip   int // bytes in front of the IP header that are taken away: 4 on loopback and tunnels, 0 on Ethernet

	batch
	at    int    // offset of the next record
	bytes uint64 // of the frames that fill wrote last
}

// batch is what one read from the device gave, and what holds for it.
type batch struct {
	data   []byte
	judges []judge // each must accept a frame
	// Frames up to after, or later than until, belong to another device. Microseconds since 1970; 0 is no limit.
	after, until int64
}

// judge is a filter that runs here. The zero value accepts everything.
type judge struct {
	vm   *filter.VM
	tags bool // the program asks for the VLAN tag beside the frame; the devices have it in the bytes
}

func (w *recordWalker) begin(b batch) { w.batch, w.at = b, 0 }

func (w *recordWalker) done() bool { return w.at >= len(w.data) }

// fill writes the next frames to dst and returns how many, and how many were refused in between. It stops when dst is
// full or nothing is left.
func (w *recordWalker) fill(dst []udpstr.Frame) (n int, refused uint64, err error) {
	w.bytes = 0
	for n < len(dst) && !w.done() {
		f := &dst[n]
		micros, err := w.next(f)
		switch {
		case err != nil:
			return n, refused, err
		case micros <= w.after && w.after != 0 || micros > w.until && w.until != 0:
		case w.present(f):
			w.bytes += uint64(len(f.Data))
			n++
		default:
			refused++
		}
	}
	return n, refused, nil
}

// next reads one record. The frame is as the device gave it.
func (w *recordWalker) next(f *udpstr.Frame) (micros int64, err error) {
	l, rest := &w.layout, w.data[w.at:]
	if len(rest) < l.headerLen() {
		return 0, errRecord
	}
	order := binary.NativeEndian
	caplen, length := order.Uint32(rest[l.caplenAt:]), order.Uint32(rest[l.caplenAt+4:])
	hdrlen := int(order.Uint16(rest[l.hdrlenAt:]))
	if hdrlen < l.headerLen() || uint64(hdrlen)+uint64(caplen) > uint64(len(rest)) || caplen > length {
		return 0, errRecord
	}
	end := hdrlen + int(caplen)
	sec, usec := integer(rest[:l.secSize]), integer(rest[l.usecAt:l.usecAt+l.usecSize])
	*f = udpstr.Frame{Data: rest[hdrlen:end:end], Len: length, Sec: uint32(sec), Usec: uint32(usec)}
	// The last record ends without padding.
	w.at = min(len(w.data), (w.at+end+l.align-1)&^(l.align-1))
	return int64(sec)*1e6 + int64(usec), nil
}

// integer reads 4 or 8 bytes.
func integer(b []byte) uint64 {
	if len(b) == 4 {
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}

// present makes a frame what Next returns; false if it is refused.
func (w *recordWalker) present(f *udpstr.Frame) bool {
	if w.strip > 0 && !stripFamily(f, w.strip) {
		return false
	}
	keep := min(uint32(len(f.Data)), w.snaplen)
	for _, j := range w.judges {
		if j.vm == nil {
			continue
		}
		n := j.keep(f.Data, f.Len)
		if n == 0 {
			return false
		}
		keep = min(keep, n)
	}
	f.Data = f.Data[:keep:keep]
	return true
}

// stripFamily takes away the address family in front of an IP packet (DLT_NULL and DLT_LOOP, which differ in its byte
// order, and between systems in the number of IPv6). What is left must be an IP packet; its first four bits say so.
func stripFamily(f *udpstr.Frame, n int) bool {
	if len(f.Data) <= n {
		return false
	}
	f.Data, f.Len = f.Data[n:], f.Len-uint32(n)
	version := f.Data[0] >> 4
	return version == 4 || version == 6
}

// keep asks the program how many bytes of the frame are kept, 0 for none.
func (j judge) keep(frame []byte, length uint32) uint32 {
	if j.tags {
		return uint32(j.vm.RunBytes(frame, length))
	}
	return uint32(j.vm.Run(frame, length))
}
