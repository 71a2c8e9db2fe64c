package capture

import (
	"encoding/binary"
	"net/netip"

	"rpcapd/iface"
)

// rawAddresses are the addresses of an interface to which raw sockets are bound, at most one of each family: a raw socket
// receives everything that passes through the interface of its address, so a second one would receive it again. Addresses that are not
// link-local come first.
func rawAddresses(i *iface.Interface) (list []netip.Addr) {
	for _, ipv4 := range []bool{true, false} {
		var best netip.Addr
		for _, a := range i.Addresses {
			if a.Addr.Is4() == ipv4 && (!best.IsValid() || best.IsLinkLocalUnicast() && !a.Addr.IsLinkLocalUnicast()) {
				best = a.Addr
			}
		}
		if best.IsValid() {
			list = append(list, best)
		}
	}
	return list
}

// rawLength checks that a raw socket has delivered a packet with its IP header and returns the length on the wire; false if
// not. Windows leaves the header of IPv6 away in some versions, and what remains cannot be told from anything else.
func rawLength(b []byte, ipv4 bool) (int, bool) {
	const header4, header6 = 20, 40
	if ipv4 {
		if len(b) < header4 || b[0]>>4 != 4 || int(b[0]&15)*4 < header4 {
			return 0, false
		}
		// With segmentation offload the length in the header can be 0.
		return max(len(b), int(binary.BigEndian.Uint16(b[2:]))), true
	}
	if len(b) < header6 || b[0]>>4 != 6 {
		return 0, false
	}
	n := header6 + int(binary.BigEndian.Uint16(b[4:]))
	return len(b), n == len(b) || n == header6 // the length of an offloaded packet is 0
}
