package filter

import (
	"encoding/binary"
	"net/netip"
)

// packet describes a frame made by hand. Zero fields are left out.
type packet struct {
	src, dst     string // addresses; the family follows from dst
	proto        byte
	sport, dport uint16
	payload      []byte
	options      int    // bytes of IPv4 options; negative: the header says it is shorter than it is
	fragment     uint16 // IPv4: flags and offset field; IPv6: offset and flags of a fragment header
	extension    bool   // IPv6: the extension header below
	extNext      byte   // its type
	extLen       byte   // its length byte (hop-by-hop)
	tags         []uint16
}

// transport returns the first bytes of a TCP, UDP or other header and the payload.
// Later fragments have the payload only.
func (p packet) transport() []byte {
	if p.later() {
		return p.payload
	}
	var b []byte
	b = binary.BigEndian.AppendUint16(b, p.sport)
	b = binary.BigEndian.AppendUint16(b, p.dport)
	switch p.proto {
	case protocolTCP:
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0)
	default:
		b = binary.BigEndian.AppendUint16(b, uint16(8+len(p.payload)))
		b = append(b, 0, 0)
	}
	return append(b, p.payload...)
}

func (p packet) later() bool {
	if netip.MustParseAddr(p.dst).Is4() {
		return p.fragment&0x1fff != 0
	}
	return p.fragment&0xfff8 != 0
}

// ip returns the packet from the IP header on.
func (p packet) ip() []byte {
	src, dst := netip.MustParseAddr(p.src), netip.MustParseAddr(p.dst)
	body := p.transport()
	if dst.Is4() {
		head := ipv4Header + p.options
		b := []byte{0x40 | byte(head/4), 0}
		b = binary.BigEndian.AppendUint16(b, uint16(head+len(body)))
		b = append(b, 0x12, 0x34)
		b = binary.BigEndian.AppendUint16(b, p.fragment)
		b = append(b, 64, p.proto, 0, 0)
		b = append(b, src.AsSlice()...)
		b = append(b, dst.AsSlice()...)
		for range p.options {
			b = append(b, 1)
		}
		return append(b, body...)
	}
	next := p.proto
	if p.extension {
		next = p.extNext
		ext := []byte{p.proto, p.extLen}
		ext = binary.BigEndian.AppendUint16(ext, p.fragment)
		body = append(append(ext, 0, 0, 0, 7), body...)
	}
	b := []byte{0x60, 0, 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	b = append(b, next, 64)
	b = append(b, src.AsSlice()...)
	b = append(b, dst.AsSlice()...)
	return append(b, body...)
}

func (p packet) etherType() uint16 {
	if netip.MustParseAddr(p.dst).Is4() {
		return typeIPv4
	}
	return typeIPv6
}

// ethernet returns the packet in a frame with its tags.
func (p packet) ethernet() []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, tpid := range p.tags {
		b = binary.BigEndian.AppendUint16(b, tpid)
		b = binary.BigEndian.AppendUint16(b, 0x2005)
	}
	b = binary.BigEndian.AppendUint16(b, p.etherType())
	return append(b, p.ip()...)
}

// after returns the packet behind a link-layer header of n bytes that says
// nothing, as raw IP and the cooked headers are seen by the prefix.
func (p packet) after(n int) []byte {
	return append(make([]byte, n), p.ip()...)
}
