package agent

import (
	"slices"

	"go.uber.org/zap"

	"rpcapd/iface"
	"rpcapd/rpcap"
)

// familyIPv6 is AF_INET6 of Linux: the family that ExtraHop's agent has always
// sent (docs/RPCAP.md).
const familyIPv6 = 10

// findInterfaces answers FINDALLIF: the preselected interface first and marked,
// the others in the order of pcap_findalldevs.
func (c *connection) findInterfaces() error {
	list, err := c.session.agent.ifaces.list()
	if err != nil {
		return c.refuse(rpcap.CodeFindAll, "list interfaces: %v", err)
	}
	if len(list) == 0 {
		return c.refuse(rpcap.CodeNoInterface, "no interface found")
	}
	chosen := false
	if name := c.session.preselected; name != "" {
		if i := slices.IndexFunc(list, func(n iface.Interface) bool { return n.Name == name }); i >= 0 {
			first := list[i]
			list = slices.Insert(slices.Delete(list, i, i+1), 0, first)
			chosen = true
		}
	}
	wire := make([]rpcap.Interface, len(list))
	for i := range list {
		wire[i] = wireInterface(&list[i], chosen && i == 0)
	}
	if name := c.session.agent.policy.Load().SensorName; name != "" {
		d := rpcap.ParseDescription(wire[0].Description)
		d.AgentName = name
		wire[0].Description = d.String()
	}
	wire, left := fit(wire, chosen, rpcap.MaxReplyPayload)
	if left != (rpcap.LeftOut{}) && c.session.once("interface list is too long") { // sensors ask again and again
		c.log.Warn("interface list is too long for one message: name the interface in the ActiveClient line if the sensor does not find it",
			zap.Int("interfaces", len(list)), zap.Stringer("left_out", left))
	}
	return c.write(rpcap.NewInterfaceList(wire...).Append(c.out[:0]))
}

func wireInterface(i *iface.Interface, preselected bool) rpcap.Interface {
	w := rpcap.Interface{
		Name:        i.Name,
		Description: rpcap.Description{Text: i.Description, AltNames: i.AltNames, Preselected: preselected}.String(),
		Flags:       rpcap.InterfaceFlags(i.Flags),
	}
	if len(i.HardwareAddr) == 6 {
		a := rpcap.Address{Addr: rpcap.LinkLayerBlock(i.Index, i.ARPType, i.HardwareAddr)}
		if len(i.HardwareBroadcast) == 6 && i.Flags&iface.Loopback == 0 {
			a.Broadcast = rpcap.LinkLayerBlock(i.Index, i.ARPType, i.HardwareBroadcast)
		}
		w.Addresses = append(w.Addresses, a)
	}
	for _, a := range i.Addresses {
		w.Addresses = append(w.Addresses, wireAddress(a))
	}
	return w
}

func wireAddress(a iface.Address) rpcap.Address {
	if a.Addr.Is4() {
		w := rpcap.Address{Addr: rpcap.IPv4Block(a.Addr), Netmask: rpcap.IPv4Block(a.Netmask())}
		if a.Broadcast.IsValid() {
			w.Broadcast = rpcap.IPv4Block(a.Broadcast)
		}
		if a.Peer.IsValid() {
			w.Peer = rpcap.IPv4Block(a.Peer)
		}
		return w
	}
	w := rpcap.Address{Addr: rpcap.IPv6Block(a.Addr, familyIPv6), Netmask: rpcap.IPv6Block(a.Netmask(), familyIPv6)}
	if a.Peer.IsValid() {
		w.Peer = rpcap.IPv6Block(a.Peer, familyIPv6)
	}
	return w
}
