package pcapoverip

import (
	"encoding/binary"

	"rpcapd/udpstr"
)

// The backlog holds enhanced packet blocks and nothing else:
//
//	 0  type 6            4
//	 4  block length      4
//	 8  interface         4
//	12  time, high half   4  microseconds
//	16  time, low half    4
//	20  captured length   4
//	24  wire length       4
//	28  the frame, padded to 4 bytes, and the block length again
const (
	blockInterfaceAt = 8
	blockDataAt      = 28
)

// nextBlock splits off the first block. The bytes are this package's own, as savefile has encoded them.
func nextBlock(data []byte) (block, rest []byte) {
	n := binary.LittleEndian.Uint32(data[4:])
	return data[:n:n], data[n:]
}

func blockInterface(block []byte) uint32 { return binary.LittleEndian.Uint32(block[blockInterfaceAt:]) }

func setBlockInterface(block []byte, id uint32) {
	binary.LittleEndian.PutUint32(block[blockInterfaceAt:], id)
}

func blockCaplen(block []byte) int { return int(binary.LittleEndian.Uint32(block[20:])) }

// blockFrame is the frame in a block; its data is that of the block.
func blockFrame(block []byte) udpstr.Packet {
	us := uint64(binary.LittleEndian.Uint32(block[12:]))<<32 | uint64(binary.LittleEndian.Uint32(block[16:]))
	return udpstr.Packet{Frame: udpstr.Frame{
		Data: block[blockDataAt : blockDataAt+blockCaplen(block)],
		Len:  binary.LittleEndian.Uint32(block[24:]),
		Sec:  uint32(us / 1e6), Usec: uint32(us % 1e6),
	}}
}
