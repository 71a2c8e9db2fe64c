package iface

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// addAddresses gives each interface the addresses of its index. Those of
// interfaces that appeared since the links were read are left out.
func addAddresses(list []Interface, messages [][]byte) error {
	byIndex := make(map[int]*Interface, len(list))
	for n := range list {
		byIndex[list[n].Index] = &list[n]
	}
	for _, m := range messages {
		if len(m) < unix.SizeofIfAddrmsg {
			return errors.New("short address message")
		}
		i := byIndex[int(nl.DeserializeIfAddrmsg(m).Index)]
		if i == nil {
			continue
		}
		a, ok, err := parseAddress(m, i)
		if err != nil {
			return err
		}
		if ok {
			i.Addresses = append(i.Addresses, a)
		}
	}
	for n := range list {
		slices.SortStableFunc(list[n].Addresses, func(a, b Address) int {
			return cmp.Compare(a.Addr.BitLen(), b.Addr.BitLen())
		})
	}
	return nil
}

// parseAddress reads one RTM_NEWADDR message; false if it is neither IPv4 nor
// IPv6.
//
//	off  size  field
//	0    1     family
//	1    1     prefix length
//	2    1     flags
//	3    1     scope
//	4    4     interface index
//	8    …     attributes
//
// IFA_LOCAL is the interface's own address, IFA_ADDRESS then that of its peer.
// IPv4 always has both, equal where there is no peer. IPv6 has IFA_ADDRESS alone
// where there is none.
func parseAddress(m []byte, i *Interface) (Address, bool, error) {
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfAddrmsg:])
	if err != nil {
		return Address{}, false, fmt.Errorf("read address message: %w", err)
	}
	head := nl.DeserializeIfAddrmsg(m)
	if head.Family != unix.AF_INET && head.Family != unix.AF_INET6 {
		return Address{}, false, nil
	}
	var local, address, broadcast netip.Addr
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(a.Value)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(a.Value)
		case unix.IFA_BROADCAST:
			broadcast, _ = netip.AddrFromSlice(a.Value)
		}
	}
	out := Address{Addr: local, Prefix: int(head.Prefixlen)}
	if !local.IsValid() {
		out.Addr = address
	}
	if !out.Addr.IsValid() {
		return Address{}, false, nil
	}
	if i.PointToPoint && local.IsValid() {
		out.Peer = zoned(address, i.Index)
	}
	if i.Broadcast && out.Addr.Is4() {
		out.Broadcast = out.Addr
		if broadcast.IsValid() {
			out.Broadcast = broadcast
		}
	}
	out.Addr = zoned(out.Addr, i.Index)
	return out, true, nil
}

// zoned gives a link-local IPv6 address the interface index as its zone.
func zoned(a netip.Addr, index int) netip.Addr {
	if a.Is6() && a.IsLinkLocalUnicast() {
		return a.WithZone(strconv.Itoa(index))
	}
	return a
}
