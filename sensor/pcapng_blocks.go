package sensor

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// pcapng blocks, little-endian, as draft-ietf-opsawg-pcapng describes them. gopacket's NgWriter is not used to write
// because it fixes the time stamps to nanoseconds, the link type to 8 bits and the statistics to two numbers.
const (
	blockSectionHeader = 0x0a0d0d0a
	blockInterface     = 1
	blockStatistics    = 5
	blockPacket        = 6
	byteOrderMagic     = 0x1a2b3c4d

	optEnd     = 0
	optComment = 1

	optShbHardware    = 2
	optShbOS          = 3
	optShbApplication = 4

	optIfName        = 2
	optIfDescription = 3
	optIfTsresol     = 9
	optIfFilter      = 11

	optIsbStart        = 2
	optIsbEnd          = 3
	optIsbIfRecv       = 4
	optIsbIfDrop       = 5
	optIsbFilterAccept = 6
	optIsbOSDrop       = 7
	optIsbDelivered    = 8

	packetOverhead = 32 // bytes of an enhanced packet block around the padded frame
	tsresolMicro   = 6  // 10^-6 s
	maxOptionText  = 1024
)

// appendBlock appends a block whose body is written by fill, and its two length fields.
func appendBlock(dst []byte, kind uint32, fill func([]byte) []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, kind)
	dst = append(dst, 0, 0, 0, 0)
	dst = fill(dst)
	n := uint32(len(dst) - start + 4)
	binary.LittleEndian.PutUint32(dst[start+4:], n)
	return binary.LittleEndian.AppendUint32(dst, n)
}

func appendOption(dst []byte, code uint16, value []byte) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, code)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(value)))
	dst = append(dst, value...)
	return append(dst, make([]byte, -len(value)&3)...)
}

func appendText(dst []byte, code uint16, s string) []byte {
	if s == "" {
		return dst
	}
	if len(s) > maxOptionText {
		s = s[:maxOptionText]
	}
	return appendOption(dst, code, []byte(s))
}

func appendNumber(dst []byte, code uint16, n uint64) []byte {
	return appendOption(dst, code, binary.LittleEndian.AppendUint64(nil, n))
}

// appendTime appends a time stamp option: microseconds, high half first.
func appendTime(dst []byte, code uint16, t time.Time) []byte {
	return appendOption(dst, code, appendMicros(nil, uint64(t.UnixMicro())))
}

func appendMicros(dst []byte, us uint64) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(us>>32))
	return binary.LittleEndian.AppendUint32(dst, uint32(us))
}

func appendEnd(dst []byte) []byte { return append(dst, optEnd, 0, 0, 0) }

// appendSectionHeader begins a file.
func appendSectionHeader(dst []byte) []byte {
	return appendBlock(dst, blockSectionHeader, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, byteOrderMagic)
		b = binary.LittleEndian.AppendUint16(b, 1)
		b = binary.LittleEndian.AppendUint16(b, 0)
		b = binary.LittleEndian.AppendUint64(b, ^uint64(0)) // section length: not given
		b = appendText(b, optShbHardware, runtime.GOARCH)
		b = appendText(b, optShbOS, runtime.GOOS)
		b = appendText(b, optShbApplication, "rpcap-sensor")
		return appendEnd(b)
	})
}

// appendInterface describes a source. The snap length is the same in every block because readers such as tcpdump stop
// at one that differs; the comment has the real one.
func appendInterface(dst []byte, s Source) []byte {
	return appendBlock(dst, blockInterface, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint16(b, uint16(FileLinkType(s.LinkType)))
		b = append(b, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, rpcap.MaxSnaplen)
		b = appendText(b, optIfName, s.Name())
		b = appendText(b, optIfDescription, s.Description)
		comment := "agent " + s.Agent.String() + ", rule " + s.Rule + ", snap length " + strconv.FormatUint(uint64(s.Snaplen), 10)
		b = appendText(b, optComment, comment)
		b = appendOption(b, optIfTsresol, []byte{tsresolMicro})
		if s.Filter != "" {
			b = appendText(b, optIfFilter, "\x00"+s.Filter) // a leading 0 says: libpcap syntax
		}
		return appendEnd(b)
	})
}

// packetSize is the length of a frame's block.
func packetSize(p *udpstr.Packet) int { return packetOverhead + (len(p.Data)+3)&^3 }

// appendPacket appends one frame. It allocates nothing when dst has packetSize bytes to spare.
func appendPacket(dst []byte, iface uint32, p *udpstr.Packet) []byte {
	n := uint32(packetSize(p))
	us := uint64(p.Sec)*1e6 + uint64(p.Usec)
	dst = binary.LittleEndian.AppendUint32(dst, blockPacket)
	dst = binary.LittleEndian.AppendUint32(dst, n)
	dst = binary.LittleEndian.AppendUint32(dst, iface)
	dst = appendMicros(dst, us)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(p.Data)))
	// A wire length below what was captured is nonsense that readers refuse.
	dst = binary.LittleEndian.AppendUint32(dst, max(p.Len, uint32(len(p.Data))))
	dst = append(dst, p.Data...)
	var pad [3]byte
	dst = append(dst, pad[:-len(p.Data)&3]...)
	return binary.LittleEndian.AppendUint32(dst, n)
}

// statistics is what one interface's block at the end of a file says.
type statistics struct {
	start, end time.Time
	forwarded  Forwarded
	written    uint64
}

func appendStatistics(dst []byte, iface uint32, s statistics) []byte {
	return appendBlock(dst, blockStatistics, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, iface)
		b = appendMicros(b, uint64(s.end.UnixMicro()))
		b = appendTime(b, optIsbStart, s.start)
		b = appendTime(b, optIsbEnd, s.end)
		if s.forwarded.Known {
			b = appendNumber(b, optIsbIfRecv, s.forwarded.Received)
			b = appendNumber(b, optIsbIfDrop, s.forwarded.InterfaceDropped)
			b = appendNumber(b, optIsbFilterAccept, s.forwarded.Received)
			b = appendNumber(b, optIsbOSDrop, s.forwarded.KernelDropped)
		}
		b = appendNumber(b, optIsbDelivered, s.written)
		return appendEnd(b)
	})
}
