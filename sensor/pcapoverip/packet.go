package pcapoverip

import (
	"encoding/binary"
	"net/netip"

	"rpcapd/savefile"
)

// network is the IP packet in a frame, nil if there is none.
func network(linkType uint32, data []byte) []byte {
	at := 0
	switch savefile.FromDLT(linkType) {
	case 1: // Ethernet, with up to two VLAN tags
		at = 14
		for range 2 {
			if len(data) >= at && (binary.BigEndian.Uint16(data[at-2:]) == 0x8100 || binary.BigEndian.Uint16(data[at-2:]) == 0x88a8) {
				at += 4
			}
		}
	case 101: // raw IP
	case 113: // Linux cooked
		at = 16
	case 276: // its second version
		at = 20
	default:
		return nil
	}
	return data[min(at, len(data)):]
}

// Numbers of protocols behind an IP header (IANA).
const (
	protoHopByHop    = 0
	protoTCP         = 6
	protoRouting     = 43
	protoFragment    = 44
	protoAH          = 51
	protoDestination = 60

	// maxExtensions bounds the extension headers that are looked behind.
	maxExtensions = 8
)

// tcpPacket is what can be seen of a TCP packet.
type tcpPacket struct {
	src, dst netip.AddrPort // the ports are zero unless ports
	ports    bool
}

// parseTCP reads an IP packet of which the end may be missing. ok is false if it is certainly none of TCP, or too short for
// its addresses.
func parseTCP(ip []byte) (p tcpPacket, ok bool) {
	var a, b netip.Addr
	var payload []byte
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4 && ip[9] == protoTCP:
		a, b = netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
		if binary.BigEndian.Uint16(ip[6:])&0x1fff == 0 { // else a later fragment
			payload = ip[min(int(ip[0]&15)*4, len(ip)):]
		}
	case len(ip) >= 40 && ip[0]>>4 == 6:
		a, b = netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40]))
		if payload, ok = behindExtensions(ip[6], ip[40:]); !ok {
			return p, false
		}
	default:
		return p, false
	}
	if len(payload) >= 4 {
		return tcpPacket{
			netip.AddrPortFrom(a, binary.BigEndian.Uint16(payload)), netip.AddrPortFrom(b, binary.BigEndian.Uint16(payload[2:])), true,
		}, true
	}
	return tcpPacket{src: netip.AddrPortFrom(a, 0), dst: netip.AddrPortFrom(b, 0)}, true
}

// behindExtensions is the TCP header behind the extension headers of an IPv6 packet (RFC 8200, section 4), nil if it is
// not in sight. ok is false if something else than TCP is there.
func behindExtensions(next byte, rest []byte) (payload []byte, ok bool) {
	for range maxExtensions {
		length := 0
		switch next {
		case protoTCP:
			return rest, true
		case protoHopByHop, protoRouting, protoDestination:
			if len(rest) >= 2 {
				length = 8 + 8*int(rest[1])
			}
		case protoAH: // RFC 4302: in words of 4 bytes, less two
			if len(rest) >= 2 {
				length = 8 + 4*int(rest[1])
			}
		case protoFragment:
			if length = 8; len(rest) >= 4 && binary.BigEndian.Uint16(rest[2:])&^7 != 0 {
				return nil, rest[0] == protoTCP
			}
		default:
			return nil, false
		}
		if len(rest) < 2 || length > len(rest) {
			return nil, true // cut: it may be anything
		}
		next, rest = rest[0], rest[length:]
	}
	return nil, true
}
