package savefile

import (
	"encoding/binary"
	"iter"

	"rpcapd/udpstr"
)

// Block is one block as this package encodes it: little-endian, and all there. It is a view; nothing is copied. For files
// of others there is Reader.
type Block []byte

// TypePacket is the type of an enhanced packet block; doc.go has its layout.
const TypePacket = 6

const (
	// BlockHeader is the length of what a block begins with: type and length.
	BlockHeader = 8
	blockLeast  = 12 // with the length at its end

	atInterface = 8 // offsets in an enhanced packet block
	atTime      = 12
	atCaplen    = 20
	atLen       = 24
	atData      = 28
)

// Blocks are the whole blocks at the start of b, in order. Lengths in b are trusted no further than b reaches.
func Blocks(b []byte) iter.Seq[Block] {
	return func(yield func(Block) bool) {
		for {
			n := first(b)
			if n == 0 || !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// Whole is the length of the blocks at the start of b that are whole.
func Whole(b []byte) int {
	at := 0
	for n := first(b); n > 0; n = first(b[at:]) {
		at += n
	}
	return at
}

// first is the length of the first block, 0 if it is not whole.
func first(b []byte) int {
	if len(b) < BlockHeader {
		return 0
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n < blockLeast || n%4 != 0 || uint64(n) > uint64(len(b)) {
		return 0
	}
	return int(n)
}

// Type is the type of the block.
func (b Block) Type() uint32 { return binary.LittleEndian.Uint32(b) }

// Interface is the number that an enhanced packet block has at its start.
func (b Block) Interface() uint32 { return binary.LittleEndian.Uint32(b[atInterface:]) }

// SetInterface changes that number.
func (b Block) SetInterface(n uint32) { binary.LittleEndian.PutUint32(b[atInterface:], n) }

// IsPacket reports whether it is an enhanced packet block. What follows is for these only.
func (b Block) IsPacket() bool { return b.Type() == TypePacket }

// Caplen is the number of data bytes of the frame.
func (b Block) Caplen() int { return int(binary.LittleEndian.Uint32(b[atCaplen:])) }

// Packet is the frame; its data is that of the block.
func (b Block) Packet() udpstr.Packet {
	us := uint64(binary.LittleEndian.Uint32(b[atTime:]))<<32 | uint64(binary.LittleEndian.Uint32(b[atTime+4:]))
	return udpstr.Packet{Frame: udpstr.Frame{
		Data: b[atData : atData+b.Caplen()],
		Len:  binary.LittleEndian.Uint32(b[atLen:]),
		Sec:  uint32(us / 1e6), Usec: uint32(us % 1e6),
	}}
}
