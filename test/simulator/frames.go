package simulator

import (
	"encoding/binary"
	"time"

	"rpcapd/udpstr"
)

// imixSizes are the lengths of a dozen frames, in bytes without checksum: seven short
// ones, four medium, one long.
var imixSizes = []int{64, 594, 64, 64, 594, 64, 64, 594, 64, 1514, 594, 64}

// imix is a dozen frames: UDP to the discard port, nothing in them.
var imix = makeFrames(imixSizes)

func makeFrames(sizes []int) (list [][]byte) {
	for _, n := range sizes {
		b := make([]byte, n)
		copy(b, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0})
		ip := b[14:]
		ip[0], ip[8], ip[9] = 0x45, 64, 17
		binary.BigEndian.PutUint16(ip[2:], uint16(n-14))
		copy(ip[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
		udp := ip[20:]
		binary.BigEndian.PutUint16(udp, 40000)
		binary.BigEndian.PutUint16(udp[2:], 9)
		binary.BigEndian.PutUint16(udp[4:], uint16(n-34))
		list = append(list, b)
	}
	return list
}

// appendFrames adds n frames; the first has the given running number, counted from 0.
func appendFrames(dst []udpstr.Frame, first uint64, n int, now time.Time) []udpstr.Frame {
	sec, usec := uint32(now.Unix()), uint32(now.Nanosecond()/1000)
	for i := range n {
		b := imix[(first+uint64(i))%uint64(len(imix))]
		dst = append(dst, udpstr.Frame{Data: b, Len: uint32(len(b)), Sec: sec, Usec: usec})
	}
	return dst
}
