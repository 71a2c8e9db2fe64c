package refsensor

import (
	"encoding/binary"
	"fmt"
)

const (
	headers = 14 + 20 + 8 // Ethernet, IPv4, UDP
	// discard is the UDP port that numbered frames go to (RFC 863).
	discard = 9
	// MinFrame is the shortest frame that has room for its number.
	MinFrame = headers + 8
)

// Frame is a numbered frame of size bytes: Ethernet, IPv4, UDP to port 9, the number in
// 8 bytes, then bytes that follow from the number.
func Frame(dst, src [6]byte, number uint64, size int) []byte {
	b := make([]byte, size)
	copy(b, dst[:])
	copy(b[6:], src[:])
	binary.BigEndian.PutUint16(b[12:], 0x0800)
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(size-14))
	copy(ip[12:], []byte{10, 99, 0, 1})
	copy(ip[16:], []byte{10, 99, 0, 2})
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	udp := ip[20:]
	binary.BigEndian.PutUint16(udp, 40000)
	binary.BigEndian.PutUint16(udp[2:], discard)
	binary.BigEndian.PutUint16(udp[4:], uint16(size-34))
	Renumber(b, number)
	return b
}

// Renumber makes a numbered frame one of another number.
func Renumber(frame []byte, number uint64) {
	binary.BigEndian.PutUint64(frame[headers:], number)
	content(number, frame[MinFrame:], func(b []byte, word uint64) bool {
		for i := range b {
			b[i] = byte(word >> (8 * i))
		}
		return true
	})
}

// content goes through b in steps of up to 8 bytes with the word that belongs there.
func content(number uint64, b []byte, step func(b []byte, word uint64) bool) bool {
	x := number*0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d
	for len(b) > 0 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		n := min(8, len(b))
		if !step(b[:n], x) {
			return false
		}
		b = b[n:]
	}
	return true
}

// Check returns the number of a frame, or what is wrong with it.
func Check(frame []byte, size int) (number uint64, err error) {
	if len(frame) != size || len(frame) < MinFrame {
		return 0, fmt.Errorf("frame of %d bytes, want %d", len(frame), size)
	}
	number = binary.BigEndian.Uint64(frame[headers:])
	want := Frame([6]byte(frame), [6]byte(frame[6:]), 0, MinFrame)
	for i, b := range want[12:headers] {
		// The lengths and the checksum of the header go with the size.
		if at := i + 12; at != 16 && at != 17 && at != 24 && at != 25 && at != 38 && at != 39 && frame[at] != b {
			return number, fmt.Errorf("frame %d: byte %d is %#x, want %#x", number, at, frame[at], b)
		}
	}
	same := content(number, frame[MinFrame:], func(b []byte, word uint64) bool {
		for i := range b {
			if b[i] != byte(word>>(8*i)) {
				return false
			}
		}
		return true
	})
	if !same {
		return number, fmt.Errorf("frame %d: its content is another", number)
	}
	return number, nil
}
