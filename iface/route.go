package iface

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// Flags of an interface (IFF_…) and its types (IFT_…, if_types.h), the same on macOS and all BSDs.
const (
	routeUp           = 0x1
	routeBroadcast    = 0x2
	routeLoopback     = 0x8
	routePointToPoint = 0x10
	routeRunning      = 0x40

	routeTypeEther    = 6
	routeTypeLoopback = 24
	routeTypeWireless = 71
)

// routeLink is what one interface message of the routing table says.
type routeLink struct {
	index, flags, mtu int
	kind              int // IFT_…, 0 unknown
	name              string
	hardware          []byte
}

// routeAddress is what one address message says.
type routeAddress struct {
	index     int
	addr      netip.Addr // without a zone
	mask      []byte     // the bytes of the netmask, empty if there is none
	broadcast netip.Addr // or the peer of an interface that is point to point
}

// routeInterfaces joins links with their addresses. Addresses of interfaces that appeared since are left out.
func routeInterfaces(links []routeLink, addrs []routeAddress) []Interface {
	list := make([]Interface, 0, len(links))
	byIndex := make(map[int]int, len(links))
	for _, l := range links {
		byIndex[l.index] = len(list)
		list = append(list, l.interfaceOf())
	}
	for _, a := range addrs {
		n, ok := byIndex[a.index]
		if !ok || !a.addr.IsValid() {
			continue
		}
		list[n].Addresses = append(list[n].Addresses, a.on(&list[n]))
	}
	for n := range list {
		slices.SortStableFunc(list[n].Addresses, func(a, b Address) int { return cmp.Compare(a.Addr.BitLen(), b.Addr.BitLen()) })
	}
	return list
}

// interfaceOf is the interface without its addresses and connection status.
func (l routeLink) interfaceOf() Interface {
	i := Interface{
		Index: l.index, Name: l.name, MTU: l.mtu,
		Broadcast: l.flags&routeBroadcast != 0, PointToPoint: l.flags&routePointToPoint != 0,
	}
	for bit, flag := range map[int]Flags{routeUp: Up, routeRunning: Running, routeLoopback: Loopback | NotApplicable} {
		if l.flags&bit != 0 {
			i.Flags |= flag
		}
	}
	switch l.kind {
	case routeTypeEther:
		i.ARPType = arpEthernet
	case routeTypeLoopback:
		i.ARPType = arpLoopback
	case routeTypeWireless:
		i.Flags |= Wireless
	}
	if len(l.hardware) > 0 {
		i.HardwareAddr = net.HardwareAddr(bytes.Clone(l.hardware))
		if i.Broadcast {
			i.HardwareBroadcast = net.HardwareAddr(bytes.Repeat([]byte{0xff}, len(l.hardware)))
		}
	}
	return i
}

// on is the address on its interface, as the package comment says.
func (a routeAddress) on(i *Interface) Address {
	out := Address{Addr: scoped(a.addr, i.Index), Prefix: a.prefix()}
	switch {
	case i.PointToPoint && a.addr.Is4():
		out.Peer = a.addr
		if a.broadcast.Is4() {
			out.Peer = a.broadcast
		}
	case i.PointToPoint && a.broadcast.Is6():
		out.Peer = scoped(a.broadcast, i.Index)
	case i.Broadcast && a.addr.Is4():
		out.Broadcast = a.addr
		if a.broadcast.Is4() {
			out.Broadcast = a.broadcast
		}
	}
	return out
}

// prefix counts the bits of the mask. The kernel leaves trailing zero bytes out; an address without a mask is alone. A mask
// with gaps, which IPv4 allows, is as long as its first run.
func (a routeAddress) prefix() int {
	if len(a.mask) == 0 {
		return a.addr.BitLen()
	}
	n := 0
	for _, b := range a.mask {
		for bit := byte(0x80); bit != 0; bit >>= 1 {
			if b&bit == 0 {
				return min(n, a.addr.BitLen())
			}
			n++
		}
	}
	return min(n, a.addr.BitLen())
}

// scoped gives a link-local IPv6 address the interface index as its zone.
func scoped(a netip.Addr, index int) netip.Addr {
	if a.Is6() && a.IsLinkLocalUnicast() {
		return a.WithZone(strconv.Itoa(index))
	}
	return a
}

// routeChanged says whether one of the messages that the routing socket gave is of a kind that is watched for. A message
// begins with its length (2 bytes in the machine's order), its version, and its type. What is cut short counts as a change.
func routeChanged(b []byte, kinds []byte) bool {
	for len(b) > 0 {
		if len(b) < 4 {
			return true
		}
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) || slices.Contains(kinds, b[3]) {
			return true
		}
		b = b[n:]
	}
	return false
}

// Bits of the media status (struct ifmediareq, if_media.h).
const (
	mediaValid    = 1    // IFM_AVALID of ifm_status
	mediaActive   = 2    // IFM_ACTIVE
	mediaTypes    = 0xe0 // IFM_NMASK of ifm_active
	mediaWireless = 0x80 // IFM_IEEE80211
)

// mediaFlags reads the answer to SIOCGIFMEDIA: the name in 16 bytes, then current, mask, status, and active media, each of
// 4 bytes, or 8 on OpenBSD, where types are 8 bits further up.
func mediaFlags(b []byte, word int) Flags {
	const name = 16
	if len(b) < name+4*word {
		return StatusUnknown
	}
	at := func(n int) uint64 {
		b := b[name+n*word:]
		if word == 8 {
			return binary.NativeEndian.Uint64(b)
		}
		return uint64(binary.NativeEndian.Uint32(b))
	}
	status, active := at(2), at(3)
	types, wireless := uint64(mediaTypes), uint64(mediaWireless)
	if word == 8 {
		types, wireless = 0xff<<8, 0x04<<8 // IFM_NMASK, IFM_IEEE80211
	}
	var f Flags
	if active&types == wireless {
		f |= Wireless
	}
	switch {
	case status&mediaValid == 0:
		return f | NotApplicable
	case status&mediaActive != 0:
		return f | Connected
	}
	return f | Disconnected
}
