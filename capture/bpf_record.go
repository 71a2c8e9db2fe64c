package capture

import (
	"encoding/binary"
	"errors"

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
	layout recordLayout
	data   []byte
	at     int // offset of the next record
}

func (w *recordWalker) begin(b []byte) { w.data, w.at = b, 0 }

func (w *recordWalker) done() bool { return w.at >= len(w.data) }

// fill writes the next frames to dst and returns how many. It stops when dst is full or nothing is left, and in front of
// a record that is corrupt, at which it fails when it is called again.
func (w *recordWalker) fill(dst []udpstr.Frame) (n int, err error) {
	for ; n < len(dst) && !w.done(); n++ {
		if err := w.next(&dst[n]); err != nil && n == 0 {
			return 0, err
		} else if err != nil {
			break
		}
	}
	return n, nil
}

// next reads one record. The frame is as the device gave it.
func (w *recordWalker) next(f *udpstr.Frame) error {
	l, rest := &w.layout, w.data[w.at:]
	if len(rest) < l.headerLen() {
		return errRecord
	}
	order := binary.NativeEndian
	caplen, length := order.Uint32(rest[l.caplenAt:]), order.Uint32(rest[l.caplenAt+4:])
	hdrlen := int(order.Uint16(rest[l.hdrlenAt:]))
	if hdrlen < l.headerLen() || uint64(hdrlen)+uint64(caplen) > uint64(len(rest)) || caplen > length {
		return errRecord
	}
	end := hdrlen + int(caplen)
	sec, usec := integer(rest[:l.secSize]), integer(rest[l.usecAt:l.usecAt+l.usecSize])
	*f = udpstr.Frame{Data: rest[hdrlen:end:end], Len: length, Sec: uint32(sec), Usec: uint32(usec)}
	// The last record ends without padding.
	w.at = min(len(w.data), (w.at+end+l.align-1)&^(l.align-1))
	return nil
}

// integer reads 4 or 8 bytes.
func integer(b []byte) uint64 {
	if len(b) == 4 {
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}
