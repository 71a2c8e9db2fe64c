package files

import (
	"encoding/binary"

	"rpcapd/savefile"
	"rpcapd/udpstr"
)

// The queue holds enhanced packet blocks as savefile makes them; what it looks at:
//
//	 0  type             4
//	 4  block length     4
//	 8  interface        4  in the queue of a Sink: number of the stream
//	12  time, high half  4  microseconds
//	16  time, low half   4
//	20  caplen           4
//	24  len              4
//	28  the frame
const (
	blockPacket      = 6
	blockHeader      = 8
	blockInterfaceAt = 8
	blockCaplenAt    = 20
	blockDataAt      = 28

	// interfaceSize is more than any interface block has: four texts and what is around them.
	interfaceSize = 4*(savefile.MaxText+8) + 64
)

func blockType(b []byte) uint32   { return binary.LittleEndian.Uint32(b) }
func blockLength(b []byte) int    { return int(binary.LittleEndian.Uint32(b[4:])) }
func blockNumber(b []byte) uint32 { return binary.LittleEndian.Uint32(b[blockInterfaceAt:]) }

func setBlockNumber(b []byte, id uint32) { binary.LittleEndian.PutUint32(b[blockInterfaceAt:], id) }

// blockFrame is the frame in a packet block; its data is that of the block.
func blockFrame(b []byte) udpstr.Packet {
	us := uint64(binary.LittleEndian.Uint32(b[12:]))<<32 | uint64(binary.LittleEndian.Uint32(b[16:]))
	caplen := binary.LittleEndian.Uint32(b[20:])
	return udpstr.Packet{Frame: udpstr.Frame{
		Data: b[blockDataAt : blockDataAt+caplen],
		Len:  binary.LittleEndian.Uint32(b[24:]),
		Sec:  uint32(us / 1e6), Usec: uint32(us % 1e6),
	}}
}

// wholeBlocks is the length of the blocks at the start of b that are whole. The lengths in b are trusted no further than
// that.
func wholeBlocks(b []byte) int {
	at := 0
	for len(b)-at >= blockHeader {
		n := blockLength(b[at:])
		if n < 12 || n&3 != 0 || n > len(b)-at {
			break
		}
		at += n
	}
	return at
}

// wholeRecords is the length of the header and the records of a classic file at the start of b that end within n bytes,
// and the records behind them.
func wholeRecords(b []byte, header, n int) (whole int, rest tally) {
	if n >= header {
		whole = header
	}
	for at := header; len(b)-at >= savefile.PcapRecordSize(0); {
		caplen := binary.LittleEndian.Uint32(b[at+8:])
		at += savefile.PcapRecordSize(int(caplen))
		if at <= n {
			whole = at
		} else {
			rest.add(tally{1, uint64(caplen)})
		}
	}
	return whole, rest
}
