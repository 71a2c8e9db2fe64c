package rpcap

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
)

const (
	addressBlockLen = 128
	// FamilyIPv4 is the family of IPv4 in an address block, the same at all peers.
	FamilyIPv4 = 2
	// FamilyIPv6Linux is what ExtraHop's agent sends on Linux.
	FamilyIPv6Linux = 10
	// FamilyIPv6 is what libpcap sends on all systems.
	FamilyIPv6 = 23
	// FamilyLinkLayer is AF_PACKET of Linux, sent by ExtraHop's agent only.
	FamilyLinkLayer = 17
)

// AddressBlock is a socket address as the protocol carries it, kept raw so that it
// re-encodes to the same bytes. The zero value is "no address".
//
//	IPv4        0 family 2          2 port   4 address
//	IPv6        0 family 10 or 23   2 port   4 flow   8 address   24 scope
//	link layer  0 family 17   2 protocol   4 index*   8 hardware type*   10 packet type
//	            11 length   12 address          (* in the agent's byte order)
type AddressBlock [addressBlockLen]byte

// Family is the address family as it came: peers send their own system's constant.
func (b *AddressBlock) Family() uint16 { return binary.BigEndian.Uint16(b[:]) }

// IsZero says that there is no address.
func (b *AddressBlock) IsZero() bool { return *b == AddressBlock{} }

// Addr returns an IPv4 or IPv6 address in any of the families that peers are known
// to send for it (the BSDs put a length byte in front). A link-local IPv6 address with a
// scope has it as its zone, in decimal; it is the interface index at the agent.
func (b *AddressBlock) Addr() (netip.Addr, bool) {
	switch b.Family() {
	case 2, 0x1002, 0x1000:
		return netip.AddrFrom4([4]byte(b[4:8])), true
	case 10, 22, 23, 24, 26, 0x1c18, 0x1c1c, 0x1c1e, 0x1c00:
		a := netip.AddrFrom16([16]byte(b[8:24]))
		scope := binary.BigEndian.Uint32(b[24:])
		if scope != 0 && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()) {
			a = a.WithZone(strconv.FormatUint(uint64(scope), 10))
		}
		return a, true
	}
	return netip.Addr{}, false
}

// LinkLayerAddress is the content of a link-layer block.
type LinkLayerAddress struct {
	Index        uint32
	HardwareType uint16 // ARPHRD_…: 1 Ethernet, 772 loopback
	Addr         net.HardwareAddr
}

// LinkLayer returns the content of a link-layer block. Index and type come in the
// agent's byte order, which nothing tells (agents that send such blocks send no
// magic in AUTH_REPLY): the order that makes the index the smaller number is taken.
func (b *AddressBlock) LinkLayer() (LinkLayerAddress, bool) {
	n := int(b[11])
	if b.Family() != FamilyLinkLayer || n > 8 {
		return LinkLayerAddress{}, false
	}
	var host binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint32(b[4:]) < binary.LittleEndian.Uint32(b[4:]) {
		host = binary.BigEndian
	}
	return LinkLayerAddress{
		Index:        host.Uint32(b[4:]),
		HardwareType: host.Uint16(b[8:]),
		Addr:         append(net.HardwareAddr(nil), b[12:12+n]...),
	}, true
}

// IPv4Block encodes an IPv4 (or IPv4-mapped) address; any other gives no address.
func IPv4Block(a netip.Addr) (b AddressBlock) {
	a = a.Unmap()
	if !a.Is4() {
		return b
	}
	binary.BigEndian.PutUint16(b[:], FamilyIPv4)
	v := a.As4()
	copy(b[4:], v[:])
	return b
}

// IPv6Block encodes an IPv6 address with the given family, FamilyIPv6Linux or
// FamilyIPv6. A numeric zone becomes the scope.
func IPv6Block(a netip.Addr, family uint16) (b AddressBlock) {
	if !a.Is6() {
		return b
	}
	binary.BigEndian.PutUint16(b[:], family)
	v := a.As16()
	copy(b[8:], v[:])
	if scope, err := strconv.ParseUint(a.Zone(), 10, 32); err == nil {
		binary.BigEndian.PutUint32(b[24:], uint32(scope))
	}
	return b
}

// LinkLayerBlock encodes a link-layer address of at most 8 bytes as Linux on a
// little-endian host does.
func LinkLayerBlock(index int, hardwareType uint16, addr net.HardwareAddr) (b AddressBlock) {
	if len(addr) > 8 {
		return b
	}
	binary.BigEndian.PutUint16(b[:], FamilyLinkLayer)
	binary.LittleEndian.PutUint32(b[4:], uint32(index))
	binary.LittleEndian.PutUint16(b[8:], hardwareType)
	b[11] = byte(len(addr))
	copy(b[12:], addr)
	return b
}
