package capture

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// linkTypeOf maps the ARP hardware type of an interface (if_arp.h) to the link
// type of its frames. Devices without a link-layer header, or with one that is of
// no use to anybody, are captured from the network header on.
func linkTypeOf(arp uint16) (uint32, error) {
	switch arp {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return LinkTypeEthernet, nil
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_PPP,
		unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT,
		unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE,
		unix.ARPHRD_SLIP, unix.ARPHRD_CSLIP, unix.ARPHRD_SLIP6, unix.ARPHRD_CSLIP6:
		return LinkTypeRaw, nil
	}
	if name, ok := arpNames[arp]; ok {
		return 0, fmt.Errorf("ARP hardware type %d (%s): %w", arp, name, ErrLinkType)
	}
	return 0, fmt.Errorf("ARP hardware type %d: %w", arp, ErrLinkType)
}

// arpNames are those that an operator is likely to meet.
var arpNames = map[uint16]string{
	unix.ARPHRD_INFINIBAND:         "InfiniBand",
	unix.ARPHRD_CAN:                "CAN",
	unix.ARPHRD_IEEE80211:          "802.11",
	unix.ARPHRD_IEEE80211_PRISM:    "802.11 with Prism header",
	unix.ARPHRD_IEEE80211_RADIOTAP: "802.11 with radiotap header",
	unix.ARPHRD_IEEE802154:         "802.15.4",
	unix.ARPHRD_IEEE1394:           "FireWire",
	unix.ARPHRD_NETLINK:            "netlink monitor",
	unix.ARPHRD_VSOCKMON:           "vsock monitor",
	unix.ARPHRD_6LOWPAN:            "6LoWPAN",
}
