package savefile

import (
	"rpcapd/udpstr"
)

// Format is a kind of capture file.
type Format uint8

// The formats. The zero value is pcapng.
const (
	Pcapng Format = iota
	Pcap          // classic: one link type, no names, no statistics
)

// String is the usual word, which is also the usual ending of a file's name.
func (f Format) String() string {
	switch f {
	case Pcapng:
		return "pcapng"
	case Pcap:
		return "pcap"
	}
	return "unknown"
}

const (
	// Snaplen is what every file and every interface block says, whatever was asked of an agent: readers such as
	// tcpdump stop at an interface whose snap length differs from that of the first.
	Snaplen = 262144
	// MaxFrame is the number of data bytes of a frame that are written, the largest that readers take.
	MaxFrame = Snaplen
	// MaxLinkType is the largest LINKTYPE number that a file can hold.
	MaxLinkType = 0xffff
)

// clip returns what is written of a frame: its data and its length on the wire.
func clip(p *udpstr.Packet) (data []byte, wire uint32) {
	data = p.Data
	if len(data) > MaxFrame {
		data = data[:MaxFrame]
	}
	// A wire length below what was captured is nonsense that readers refuse.
	return data, max(p.Len, uint32(len(data)))
}

// FromDLT converts a DLT number, which differs between systems for a few link types, to the LINKTYPE number
// of capture files.
func FromDLT(dlt uint32) uint32 {
	switch dlt {
	case 12, 14: // raw IP on Linux and most others; on OpenBSD
		return 101
	case 11: // RFC 1483 ATM
		return 100
	}
	return dlt
}
