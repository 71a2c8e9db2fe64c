package capture

import (
	"encoding/binary"
	"fmt"

	"rpcapd/udpstr"
)

// pcapHeaderLen is the length of struct pcap_pkthdr on Windows, whose struct timeval has two fields of 32 bits.
const pcapHeaderLen = 16

// parsePcapHeader reads the header that wpcap.dll puts beside a frame, in the order of bytes of this machine.
//
//	off  size  field
//	0    4     seconds
//	4    4     microseconds
//	8    4     captured length
//	12   4     length on the wire
func parsePcapHeader(b *[pcapHeaderLen]byte) (f udpstr.Frame, caplen int, err error) {
	n := binary.NativeEndian.Uint32(b[8:])
	f = udpstr.Frame{
		Sec:  binary.NativeEndian.Uint32(b[0:]),
		Usec: binary.NativeEndian.Uint32(b[4:]),
		Len:  binary.NativeEndian.Uint32(b[12:]),
	}
	if n > MaxSnaplen {
		return f, 0, fmt.Errorf("frame of %d captured bytes, at most %d", n, MaxSnaplen)
	}
	f.Len = max(f.Len, n)
	return f, int(n), nil
}

// Link types of pcap devices besides LinkTypeEthernet and LinkTypeRaw.
const (
	linkTypeNull = 0   // loopback: 4 bytes that say which protocol follows
	linkTypeRaw  = 101 // what LinkTypeRaw is in files and on some systems
)

// deviceLinkType is the link type on the wire for what a pcap device has.
func deviceLinkType(dlt int) (uint32, error) {
	switch dlt {
	case LinkTypeEthernet, LinkTypeRaw, linkTypeNull:
		return uint32(dlt), nil
	case linkTypeRaw:
		return LinkTypeRaw, nil
	}
	return 0, fmt.Errorf("link type %d: %w", dlt, ErrLinkType)
}
