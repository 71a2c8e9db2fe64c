package udpstr

import "encoding/binary"

// Sizes and limits of the format, in bytes.
const (
	// HeaderLen is the length of the header of a datagram.
	HeaderLen = 8
	// PacketHeaderLen is the length of the header in front of the data of each frame.
	PacketHeaderLen = 20
	// MinLimit is the smallest datagram limit that the Packer accepts. Below 37 nothing fits behind the headers; between,
	// most of the traffic would be headers.
	MinLimit = 64
	// MaxLimit is the largest datagram limit; peers cut larger values to it.
	MaxLimit = 65000
	// DefaultLimit is the UDP payload that fits an IPv4 packet of 1500 bytes.
	DefaultLimit = 1472
	// MaxCaplen is the largest number of data bytes of one frame.
	MaxCaplen = 262144
	// MaxRunBytes bounds a run: the largest UDP payload over IPv4, which a send with segmentation offload must not exceed.
	MaxRunBytes = 65507
	// MaxRunDatagrams bounds a run: Linux cuts one send into at most 64 segments (UDP_MAX_SEGMENTS before 6.9).
	MaxRunDatagrams = 64
)

const (
	// Version is the first byte of every datagram.
	Version = 0
	// Type is the second byte of every datagram.
	Type = 110
)

const (
	// noHeader is the firsthdridx of a datagram in which no packet header begins.
	noHeader = 0xffff
	// minRoom is what must be left in a datagram for the record of a frame with data to begin there: its header and a byte.
	minRoom = PacketHeaderLen + 1
)

// Frame is one captured frame. Its caplen is len(Data).
type Frame struct {
	Data []byte // captured bytes; at most MaxCaplen are used
	Len  uint32 // length on the wire
	Sec  uint32 // time stamp: seconds since 1970
	Usec uint32 // time stamp: microseconds
}

// putHeader writes the header of a datagram to the first HeaderLen bytes of b.
func putHeader(b []byte, first int, seq uint32) {
	binary.BigEndian.PutUint64(b, Version<<56|Type<<48|uint64(uint16(first))<<32|uint64(seq))
}

// parseHeader takes a datagram apart. ok is false if it cannot be one: too short to hold a byte of the stream, another
// version or type, or a firsthdridx at which no packet header can begin.
func parseHeader(b []byte) (first int, seq uint32, ok bool) {
	if len(b) <= HeaderLen {
		return 0, 0, false
	}
	h := binary.BigEndian.Uint64(b)
	first = int(h >> 32 & 0xffff)
	if h>>48 != Version<<8|Type {
		return 0, 0, false
	}
	if first != noHeader && (first < HeaderLen || first > len(b)-PacketHeaderLen) {
		return 0, 0, false
	}
	return first, uint32(h), true
}

// putPacketHeader writes the header of a record to the first PacketHeaderLen bytes of b.
func putPacketHeader(b []byte, f *Frame, caplen int, npkt uint32) {
	h := (*[PacketHeaderLen]byte)(b)
	binary.BigEndian.PutUint32(h[0:], f.Sec)
	binary.BigEndian.PutUint32(h[4:], f.Usec)
	binary.BigEndian.PutUint32(h[8:], uint32(caplen))
	binary.BigEndian.PutUint32(h[12:], f.Len)
	binary.BigEndian.PutUint32(h[16:], npkt)
}

// clip cuts data to what the format allows.
func clip(data []byte) []byte {
	return data[:min(len(data), MaxCaplen)]
}
