package savefile

import (
	"encoding/binary"
	"time"
)

// Block types, options and constants of draft-ietf-opsawg-pcapng.
const (
	blockSectionHeader = 0x0a0d0d0a
	blockInterface     = 1
	blockStatistics    = 5
	blockObsolete      = 2 // a packet, as early writers have it
	blockSimple        = 3
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
	optIfTsoffset    = 14

	optIsbStart        = 2
	optIsbEnd          = 3
	optIsbIfRecv       = 4
	optIsbIfDrop       = 5
	optIsbFilterAccept = 6
	optIsbOSDrop       = 7
	optIsbDelivered    = 8

	tsresolMicro  = 6 // 10^-6 s
	filterLibpcap = 0 // first byte of a filter: libpcap's syntax follows
)

// MaxText is the number of bytes of a text that are written.
const MaxText = 1024

var zeros [4]byte

// beginBlock appends a block's type and room for its length; endBlock fills that in.
func beginBlock(dst []byte, kind uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, kind)
	return append(dst, zeros[:]...)
}

// endBlock ends the options and the block that began at start.
func endBlock(dst []byte, start int) []byte {
	dst = append(dst, optEnd, 0, 0, 0)
	n := uint32(len(dst) - start + 4)
	binary.LittleEndian.PutUint32(dst[start+4:], n)
	return binary.LittleEndian.AppendUint32(dst, n)
}

// optionHeader appends code and length of an option's value.
func optionHeader(dst []byte, code uint16, n int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, code)
	return binary.LittleEndian.AppendUint16(dst, uint16(n))
}

// pad appends what is missing behind n bytes up to a multiple of 4.
func pad(dst []byte, n int) []byte { return append(dst, zeros[:-n&3]...) }

// appendText appends an option, nothing for an empty text.
func appendText(dst []byte, code uint16, s string) []byte {
	if s == "" {
		return dst
	}
	s = cut(s)
	dst = append(optionHeader(dst, code, len(s)), s...)
	return pad(dst, len(s))
}

// appendFilter is appendText with the byte in front that names the syntax.
func appendFilter(dst []byte, s string) []byte {
	if s == "" {
		return dst
	}
	s = cut(s)
	dst = append(optionHeader(dst, optIfFilter, 1+len(s)), filterLibpcap)
	return pad(append(dst, s...), 1+len(s))
}

// cut bounds a text and keeps UTF-8 whole.
func cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for n > MaxText-4 && s[n]&0xc0 == 0x80 { // the middle of a character
		n--
	}
	return s[:n]
}

func appendNumber(dst []byte, code uint16, n uint64) []byte {
	return binary.LittleEndian.AppendUint64(optionHeader(dst, code, 8), n)
}

func appendTime(dst []byte, code uint16, t time.Time) []byte {
	return appendMicros(optionHeader(dst, code, 8), micros(t))
}

// appendMicros appends a time stamp, high half first.
func appendMicros(dst []byte, us uint64) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(us>>32))
	return binary.LittleEndian.AppendUint32(dst, uint32(us))
}

// micros is a time as files have it; one before 1970 is 0.
func micros(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }
