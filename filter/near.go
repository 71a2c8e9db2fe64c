package filter

import (
	"net/netip"
	"slices"
)

// Near is the agent's own end of its connections. It finds own traffic also where a NAT, of this host or of a router, has
// put another address and port at the far end than those that the agent has dialed. The ports were chosen by the kernel
// for the agent, so only own traffic has one of them at one of the addresses.
type Near struct {
	Addrs []netip.Addr // an IPv4-mapped address means the IPv4 one; the zone is ignored
	TCP   []uint16
	UDP   []uint16
}

func (n Near) empty() bool { return len(n.Addrs) == 0 || len(n.TCP)+len(n.UDP) == 0 }

// nearEnd is Near made ready for code: targets without ports, and the ports sorted.
type nearEnd struct {
	v4, v6        []target
	tcp, udp, all []uint32
}

func (n Near) end() (nearEnd, error) {
	if n.empty() {
		return nearEnd{}, nil
	}
	ex := Exclusion{}
	for _, a := range n.Addrs {
		ex.Endpoints = append(ex.Endpoints, Endpoint{Addr: a})
	}
	var e nearEnd
	var err error
	e.v4, e.v6, err = ex.targets()
	e.tcp, e.udp = portKeys(n.TCP), portKeys(n.UDP)
	e.all = portKeys(append(slices.Clone(n.TCP), n.UDP...))
	return e, err
}

// portKeys are the ports sorted, each once.
func portKeys(ports []uint16) []uint32 {
	keys := make([]uint32, 0, len(ports))
	for _, p := range ports {
		keys = append(keys, uint32(p))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// jumboPort is what stands at the place of a source port when the jumbo header of IPv6 is before TCP: its first two bytes.
const jumboPort = protocolTCP << 8

// nearPorts is the first step for the near end, in front of that for exports to unknown sensors: it loads the ports at fixed
// offsets, leaves the destination port in A, and goes to hit if one is the agent's. That is all that other traffic costs. The
// addresses would not do as first step, since nearly all frames of an uplink have one of them.
func (p *prefix) nearPorts(list []target, source uint32, hit label) {
	if len(list) == 0 {
		p.do(opLdH, source+2)
		return
	}
	at := func(int) label { return hit }
	keys := p.near.all
	if len(list[0].words) > 1 {
		keys = slices.Compact(slices.Sorted(slices.Values(append([]uint32{jumboPort}, keys...))))
	}
	destination, none := p.label(), p.label()
	p.do(opLdH, source)
	p.search(keys, at, destination)
	p.bind(destination)
	p.do(opLdH, source+2)
	p.search(p.near.all, at, none)
	p.bind(none)
}

// nearFound is where nearPorts goes to: on to the exact step, with the start of the IP header in X.
func (p *prefix) nearFound(list []target, offset uint32, hit, exact label) {
	if len(list) == 0 {
		return
	}
	p.bind(hit)
	p.do(opLdxImm, offset)
	p.jump(exact)
}

// first is the exact step that comes first for a frame with a sensor's address: that for the near end if there is one.
func (p *prefix) first(list []target, near, sensors label) label {
	if len(list) == 0 {
		return sensors
	}
	return near
}

// nearIPv4 is the exact step for the near end over IPv4. What is not own goes on to the exact step for sensors. Own
// connections have no IP options, and their later fragments (plain data) are not looked for: they do not feed on themselves.
func (p *prefix) nearIPv4() {
	if len(p.near.v4) == 0 {
		return
	}
	p.bind(p.near4)
	p.do(opStx, memNetwork)
	odd := p.label()
	p.do(opLdBX, 0)
	p.compare(opJeqK, 0x40|ipv4Header/4, next, odd)
	p.do(opLdHX, ipv4Fragment)
	p.compare(opJsetK, 0x1fff, odd, next)
	p.do(opLdBX, ipv4Protocol)
	p.do(opSt, memProtocol)
	p.do(opLdImm, ipv4Header)
	p.nearEnds(p.near.v4, ipv4Source, ipv4Destination, odd)
	p.notNear(odd, p.v4, p.exact4)
}

// nearIPv6 is the same for IPv6. Of the extension headers it knows the jumbo header.
func (p *prefix) nearIPv6() {
	if len(p.near.v6) == 0 {
		return
	}
	p.bind(p.near6)
	p.do(opStx, memNetwork)
	odd, plain, found := p.label(), p.label(), p.label()
	p.do(opLdBX, ipv6Next)
	p.do(opSt, memProtocol)
	p.compare(opJeqK, protocolHopByHop, next, plain)
	p.do(opLdBX, extensionLength)
	p.compare(opJeqK, 0, next, odd)
	p.do(opLdBX, extensionNext)
	p.do(opSt, memProtocol)
	p.do(opLdImm, ipv6Header+ipv6Extension)
	p.jump(found)
	p.bind(plain)
	p.do(opLdImm, ipv6Header)
	p.bind(found)
	p.nearEnds(p.near.v6, ipv6Source, ipv6Destination, odd)
	p.notNear(odd, p.v6, p.exact6)
}

// nearEnds drops the frame if one end is the agent's, and leaves through its end if none is. A is the length of the IP
// header, X its start.
func (p *prefix) nearEnds(list []target, source, destination uint32, odd label) {
	p.do(opAddX, 0)
	p.do(opSt, memTransport)
	p.do(opTax, 0)
	p.do(opLdLen, 0)
	p.do(opSubK, portsLength) // no wrap: the first step saw more
	p.compare(opJgeX, 0, next, odd)
	udp, other := p.label(), p.label()
	p.do(opLdMem, memProtocol)
	p.compare(opJeqK, protocolUDP, udp, next)
	p.compare(opJeqK, protocolTCP, next, other)
	p.nearPort(list, p.near.tcp, source, destination)
	p.jump(other)
	p.bind(udp)
	p.nearPort(list, p.near.udp, source, destination)
	p.bind(other)
}

func (p *prefix) nearPort(list []target, ports []uint32, source, destination uint32) {
	drop := func(target) label { return p.drop }
	for _, end := range []struct{ port, address uint32 }{{0, source}, {2, destination}} {
		match, no := p.label(), p.label()
		p.do(opLdxMem, memTransport)
		p.do(opLdHX, end.port)
		p.search(ports, func(int) label { return match }, no)
		p.bind(match)
		p.do(opLdxMem, memNetwork)
		p.exactly(list, end.address, drop, no)
		p.bind(no)
	}
}

// notNear is how the exact step for the near end is left: to the one for sensors, which begins with the start of the IP
// header in X, or, where no sensor is known, to the export to unknown ones. odd frames have no ports where they are looked for.
func (p *prefix) notNear(odd label, sensors []target, exact label) {
	if len(sensors) == 0 {
		p.exportElsewhere()
		p.bind(odd)
		p.jump(p.pass)
		return
	}
	p.bind(odd)
	p.do(opLdxMem, memNetwork)
	p.jump(exact)
}
