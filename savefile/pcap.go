package savefile

import (
	"encoding/binary"

	"rpcapd/udpstr"
)

const (
	// PcapHeaderSize is the length of what AppendPcapHeader writes.
	PcapHeaderSize = 24

	magicMicroseconds  = 0xa1b2c3d4
	pcapMajor          = 2
	pcapMinor          = 4
	pcapRecordOverhead = 16
)

// AppendPcapHeader begins a classic file whose frames have a LINKTYPE number of at most MaxLinkType.
func AppendPcapHeader(dst []byte, linkType uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, magicMicroseconds)
	dst = binary.LittleEndian.AppendUint16(dst, pcapMajor)
	dst = binary.LittleEndian.AppendUint16(dst, pcapMinor)
	dst = binary.LittleEndian.AppendUint64(dst, 0) // time zone and accuracy: always zero
	dst = binary.LittleEndian.AppendUint32(dst, Snaplen)
	return binary.LittleEndian.AppendUint32(dst, linkType&MaxLinkType) // above are flags of the frame check sequence
}

// PcapRecordSize is the length of what AppendPcapRecord writes for a frame with so many data bytes.
func PcapRecordSize(caplen int) int { return pcapRecordOverhead + min(caplen, MaxFrame) }

// AppendPcapRecord appends one frame of a classic file.
func AppendPcapRecord(dst []byte, p *udpstr.Packet) []byte {
	data, wire := clip(p)
	// Microseconds that are more than a second would be shown as they are.
	dst = binary.LittleEndian.AppendUint32(dst, p.Sec+p.Usec/1e6)
	dst = binary.LittleEndian.AppendUint32(dst, p.Usec%1e6)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	dst = binary.LittleEndian.AppendUint32(dst, wire)
	return append(dst, data...)
}
