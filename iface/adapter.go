package iface

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rpcapd/printable"
)

// adapter is what Windows tells of a network adapter (IP_ADAPTER_ADDRESSES).
type adapter struct {
	guid         string // "{4D36E972-…}"
	friendly     string // "Ethernet 2", as the user sees and may change it
	description  string // "Intel(R) PRO/1000 MT", of the driver
	index        uint32 // of IPv4, and as a rule of IPv6
	index6       uint32
	mtu          uint32
	kind         uint32 // IF_TYPE_…
	status       uint32 // IfOperStatus…
	hardwareAddr []byte
	addresses    []netip.Prefix // addresses with the length of their network
}

// npfPrefix begins the name by which capture drivers know an adapter; its GUID follows.
const npfPrefix = `\Device\NPF_`

// Kinds of adapters, of ifdef.h and ipifcons.h, which are those of IANA.
const (
	kindEthernet  = 6
	kindTokenRing = 9
	kindPPP       = 23
	kindLoopback  = 24
	kindWireless  = 71
	kindTunnel    = 131
)

// States of adapters (IF_OPER_STATUS).
const (
	statusUp             = 1
	statusDown           = 2
	statusDormant        = 5
	statusNotPresent     = 6
	statusLowerLayerDown = 7
)

// Hardware types of ARP, as Interface.ARPType has them.
const (
	arpEthernet = 1
	arpLoopback = 772
)

// asInterface gives the adapter the name of its device, and its friendly name and its GUID as other names.
func (a *adapter) asInterface() Interface {
	i := Interface{
		Index:       int(a.index),
		Name:        npfPrefix + a.guid,
		Description: printable.Text(a.description),
		Flags:       a.flags(),
		MTU:         int(min(a.mtu, 1<<30)), // loopback has 4294967295
		Broadcast:   a.kind == kindEthernet || a.kind == kindTokenRing || a.kind == kindWireless,

		PointToPoint: a.kind == kindPPP || a.kind == kindTunnel,
		HardwareAddr: slices.Clone(a.hardwareAddr),
	}
	if i.Index == 0 { // IPv4 is off
		i.Index = int(a.index6)
	}
	if a.friendly != "" {
		i.AltNames = append(i.AltNames, a.friendly)
		if a.friendly != a.description {
			i.Description = strings.TrimSuffix(printable.Text(a.friendly)+": "+i.Description, ": ")
		}
	}
	i.AltNames = append(i.AltNames, a.guid)
	switch a.kind {
	case kindEthernet, kindWireless:
		i.ARPType = arpEthernet
	case kindLoopback:
		i.ARPType = arpLoopback
		i.AltNames = append(i.AltNames, npfPrefix+"Loopback") // what Npcap calls it
	}
	if i.Broadcast && len(i.HardwareAddr) > 0 {
		i.HardwareBroadcast = slices.Repeat(net.HardwareAddr{0xff}, len(i.HardwareAddr))
	}
	i.Addresses = a.interfaceAddresses(&i)
	return i
}

func (a *adapter) flags() Flags {
	var f Flags
	switch a.status {
	case statusDown, statusLowerLayerDown:
		f = Disconnected
	case statusNotPresent:
	case statusUp:
		f = Up | Running | Connected
	case statusDormant:
		f = Up
	default: // in test, unknown
		f = Up | Running
	}
	switch a.kind {
	case kindLoopback:
		f = f&^StatusMask | Loopback | NotApplicable
	case kindWireless:
		f |= Wireless
	}
	return f
}

// interfaceAddresses puts IPv4 first. Windows tells no broadcast address: it is the last of the network.
func (a *adapter) interfaceAddresses(i *Interface) []Address {
	var v4, v6 []Address
	for _, p := range a.addresses {
		one := Address{Addr: p.Addr(), Prefix: p.Bits()}
		if one.Addr.Is4() {
			if i.Broadcast {
				one.Broadcast = lastOf(p)
			}
			v4 = append(v4, one)
			continue
		}
		if one.Addr.IsLinkLocalUnicast() {
			zone := a.index6
			if zone == 0 {
				zone = a.index
			}
			one.Addr = one.Addr.WithZone(strconv.FormatUint(uint64(zone), 10))
		}
		v6 = append(v6, one)
	}
	return append(v4, v6...)
}

// lastOf returns the last address of an IPv4 network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	mask := net.CIDRMask(p.Bits(), 32)
	if mask == nil {
		return netip.Addr{}
	}
	for n := range b {
		b[n] |= ^mask[n]
	}
	return netip.AddrFrom4(b)
}

// namedOnWindows: names of adapters are the same in letters of any case, and a GUID may stand without its braces.
func (i *Interface) namedOnWindows(name string) bool {
	same := func(n string) bool {
		return strings.EqualFold(n, name) || strings.EqualFold(strings.Trim(n, "{}"), name) && strings.HasPrefix(n, "{")
	}
	return same(i.Name) || slices.ContainsFunc(i.AltNames, same)
}
