package iface

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"

	"rpcapd/printable"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// parseLink reads one RTM_NEWLINK message, flags but for the connection status.
//
//	off  size  field
//	0    1     family
//	2    2     ARP hardware type
//	4    4     index
//	8    4     IFF_… flags
//	12   4     change mask
//	16   …     attributes
func parseLink(m []byte) (Interface, error) {
	if len(m) < unix.SizeofIfInfomsg {
		return Interface{}, errors.New("short link message")
	}
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfInfomsg:])
	if err != nil {
		return Interface{}, fmt.Errorf("read link message: %w", err)
	}
	info := nl.DeserializeIfInfomsg(m)
	i := Interface{
		Index:        int(info.Index),
		ARPType:      info.Type,
		Broadcast:    info.Flags&unix.IFF_BROADCAST != 0,
		PointToPoint: info.Flags&unix.IFF_POINTOPOINT != 0,
		Flags:        linkFlags(info.Flags),
	}
	for _, a := range attrs {
		switch a.Attr.Type & nl.NLA_TYPE_MASK {
		case unix.IFLA_IFNAME:
			i.Name = text(a.Value)
		case unix.IFLA_IFALIAS:
			i.Description = printable.Text(text(a.Value))
		case unix.IFLA_PROP_LIST:
			if i.AltNames, err = parseAltNames(a.Value); err != nil {
				return Interface{}, err
			}
		case unix.IFLA_MTU:
			if len(a.Value) >= 4 {
				i.MTU = int(binary.NativeEndian.Uint32(a.Value))
			}
		case unix.IFLA_ADDRESS:
			i.HardwareAddr = net.HardwareAddr(slices.Clone(a.Value))
		case unix.IFLA_BROADCAST:
			if i.Broadcast {
				i.HardwareBroadcast = net.HardwareAddr(slices.Clone(a.Value))
			}
		}
	}
	return i, nil
}

// parseAltNames reads the properties of a link, of which the alternative names are one.
func parseAltNames(properties []byte) (names []string, err error) {
	attrs, err := nl.ParseRouteAttr(properties)
	if err != nil {
		return nil, fmt.Errorf("read properties of a link: %w", err)
	}
	for _, a := range attrs {
		if a.Attr.Type&nl.NLA_TYPE_MASK == unix.IFLA_ALT_IFNAME {
			names = append(names, text(a.Value))
		}
	}
	return names, nil
}

func linkFlags(iff uint32) Flags {
	var f Flags
	if iff&unix.IFF_UP != 0 {
		f |= Up
	}
	if iff&unix.IFF_RUNNING != 0 {
		f |= Running
	}
	if iff&unix.IFF_LOOPBACK != 0 {
		f |= Loopback
	}
	return f
}

// text returns a string attribute, which ends with a zero byte.
func text(value []byte) string {
	value, _, _ = bytes.Cut(value, []byte{0})
	return string(value)
}
