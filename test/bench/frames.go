package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

const (
	headerLen = 14 + 20 + 8 // Ethernet, IPv4, UDP
	numberLen = 8           // big-endian, behind the headers
	// minFrame is the shortest frame that has room for its number.
	minFrame = headerLen + numberLen
	maxFrame = 9000
	// discardPort is where the frames go (RFC 863); the capture filter asks for it.
	discardPort = 9
)

// The content behind the number is a piece of noise that begins at a place which
// follows from the number, so that neither side has to make it: the generator lets the
// kernel gather it from there, the sensor compares.
const (
	noisePlaces = 64 // different contents
	noiseStep   = 40 // bytes between two places
)

var noise = makeNoise(noisePlaces*noiseStep + maxFrame)

func makeNoise(n int) []byte {
	b := make([]byte, n)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range b { // xorshift
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}

// content is what follows the number in a frame of size bytes.
func content(number uint64, size int) []byte {
	at := int(number%noisePlaces) * noiseStep
	return noise[at : at+size-minFrame]
}

// profile is the lengths of frames, in bytes without checksum: frame n has
// sizes[n modulo their number].
type profile struct {
	name  string // "64", "imix"
	sizes []int
}

// imix is seven short frames, four medium ones and a long one, mixed.
var imix = profile{"imix", []int{64, 594, 64, 64, 594, 64, 64, 594, 64, 1514, 594, 64}}

func parseProfile(s string) (profile, error) {
	if s == imix.name {
		return imix, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < minFrame || n > maxFrame {
		return profile{}, fmt.Errorf("size %q: not imix, nor %d to %d bytes", s, minFrame, maxFrame)
	}
	return profile{s, []int{n}}, nil
}

func (p profile) size(number uint64) int { return p.sizes[number%uint64(len(p.sizes))] }

// mean is the mean length of a frame.
func (p profile) mean() float64 {
	sum := 0
	for _, n := range p.sizes {
		sum += n
	}
	return float64(sum) / float64(len(p.sizes))
}

// header is the first headerLen bytes of every frame of one size: from 10.99.0.1 to the
// discard port of 10.99.0.2. The hardware address is nobody's, so that the host that
// captures them throws them away at once.
func header(size int) []byte {
	b := make([]byte, headerLen)
	copy(b, []byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 8, 0})
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(size-14))
	copy(ip[12:], []byte{10, 99, 0, 1, 10, 99, 0, 2})
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
	binary.BigEndian.PutUint16(udp[2:], discardPort)
	binary.BigEndian.PutUint16(udp[4:], uint16(size-34)) // no checksum
	return b
}

// checker checks frames of one profile.
type checker struct {
	profile profile
	headers map[int][]byte // by size
}

func newChecker(p profile) *checker {
	c := &checker{profile: p, headers: make(map[int][]byte)}
	for _, n := range p.sizes {
		c.headers[n] = header(n)
	}
	return c
}

// check returns the number of a frame, or what is wrong with it.
func (c *checker) check(frame []byte) (uint64, error) {
	if len(frame) < minFrame {
		return 0, fmt.Errorf("frame of %d bytes", len(frame))
	}
	number := binary.BigEndian.Uint64(frame[headerLen:])
	size := c.profile.size(number)
	switch {
	case len(frame) != size:
		return number, fmt.Errorf("frame %d has %d bytes, not %d", number, len(frame), size)
	case !bytes.Equal(frame[:headerLen], c.headers[size]):
		return number, errors.New("frame " + strconv.FormatUint(number, 10) + ": its headers are not those that were sent")
	case !bytes.Equal(frame[minFrame:], content(number, size)):
		return number, errors.New("frame " + strconv.FormatUint(number, 10) + ": its content is not what was sent")
	}
	return number, nil
}
