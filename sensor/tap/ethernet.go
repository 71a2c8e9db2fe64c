package tap

import "encoding/binary"

// Link types that Ethernet frames can be made of, as LINKTYPE numbers (savefile.FromDLT).
const (
	linkNull     = 0   // BSD loopback, family in the byte order of the agent's machine
	linkEthernet = 1   //
	linkRaw      = 101 // IPv4 or IPv6
	linkLoop     = 108 // OpenBSD loopback, family in network byte order
	linkSLL      = 113 // Linux cooked
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
)

const (
	headerLen  = 14     // bytes of an Ethernet header
	sllLen     = 16     // bytes of a Linux cooked header
	sll2Len    = 20     // and of its second version
	nullLen    = 4      // bytes of a loopback header
	typeIPv4   = 0x0800 // EtherType
	typeIPv6   = 0x86dd
	leastType  = 0x0600 // below it the field is a length
	leastVLAN  = headerLen + 6
	tagLen     = 4
	addressLen = 6
)

// possible reports whether frames of a link type can be written.
func possible(linkType uint32) bool {
	switch linkType {
	case linkNull, linkEthernet, linkRaw, linkLoop, linkSLL, linkIPv4, linkIPv6, linkSLL2:
		return true
	}
	return false
}

// header makes the Ethernet header of a frame that has none, and returns what follows it in the frame. ok is false if
// nothing can be made of it: too short, or a protocol without an EtherType.
func header(linkType uint32, frame []byte) (h [headerLen]byte, payload []byte, ok bool) {
	var etherType uint16
	switch linkType {
	case linkNull, linkLoop:
		if len(frame) <= nullLen {
			return h, nil, false
		}
		frame = frame[nullLen:] // the family differs between systems; the version of IP does not
		etherType = ipType(frame)
	case linkRaw, linkIPv4, linkIPv6:
		etherType = ipType(frame)
	case linkSLL:
		if len(frame) < sllLen {
			return h, nil, false
		}
		if binary.BigEndian.Uint16(frame[4:]) == addressLen {
			copy(h[addressLen:], frame[6:6+addressLen])
		}
		etherType, frame = binary.BigEndian.Uint16(frame[14:]), frame[sllLen:]
	case linkSLL2:
		if len(frame) < sll2Len {
			return h, nil, false
		}
		if frame[11] == addressLen {
			copy(h[addressLen:], frame[12:12+addressLen])
		}
		etherType, frame = binary.BigEndian.Uint16(frame), frame[sll2Len:]
	}
	if etherType < leastType {
		return h, nil, false
	}
	binary.BigEndian.PutUint16(h[12:], etherType)
	return h, frame, true
}

// ipType is the EtherType by the version in the first byte, 0 if that is none of IP.
func ipType(packet []byte) uint16 {
	if len(packet) == 0 {
		return 0
	}
	switch packet[0] >> 4 {
	case 4:
		return typeIPv4
	case 6:
		return typeIPv6
	}
	return 0
}

// tags counts the VLAN tags of an Ethernet frame, at most two.
func tags(frame []byte) (n int) {
	for at := headerLen - 2; n < 2 && len(frame) >= at+2; at += tagLen {
		switch binary.BigEndian.Uint16(frame[at:]) {
		case 0x8100, 0x88a8, 0x9100:
			n++
		default:
			return n
		}
	}
	return n
}

// fits reports whether the kernel takes an Ethernet frame: it wants the header and, since it takes a VLAN tag off on the
// way in, six bytes behind the header of a tagged one.
func fits(frame []byte) bool {
	return len(frame) >= headerLen && (tags(frame) == 0 || len(frame) >= leastVLAN)
}

// need is the MTU that an Ethernet frame needs. Tags are allowed for by every driver.
func need(frame []byte) int { return min(len(frame)-headerLen-tagLen*tags(frame), MaxMTU) }

// mtuSteps are what an MTU is raised to: that of jumbo frames with headers of tunnels, and the largest.
var mtuSteps = []int{9216, MaxMTU}

// step is the MTU to raise to for a frame that needs n bytes.
func step(n int) int {
	for _, s := range mtuSteps {
		if n <= s {
			return s
		}
	}
	return MaxMTU
}
