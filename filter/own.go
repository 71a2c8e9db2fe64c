package filter

import "fmt"

// Offsets in the IP headers.
const (
	ipv4Fragment    = 6
	ipv4Protocol    = 9
	ipv4Source      = 12
	ipv4Destination = 16

	ipv6Next        = 6
	ipv6Source      = 8
	ipv6Destination = 24

	// of the extension header that follows the IPv6 header
	extensionNext   = ipv6Header
	extensionLength = ipv6Header + 1 // hop-by-hop: in 8 bytes, less the first
	extensionOffset = ipv6Header + 2 // fragment: in 8 bytes, above three flag bits

	protocolHopByHop = 0
	protocolTCP      = 6
	protocolUDP      = 17
	protocolFragment = 44
)

// Memory of the exact step.
const (
	memNetwork   = iota // where the IP header begins
	memTransport        // where the transport header begins
	memProtocol         // TCP or UDP
)

// ownIPv4 is the exact step for IPv4: own traffic to drop, the rest to pass.
func (p *prefix) ownIPv4() {
	if len(p.v4) == 0 {
		return
	}
	known, later := p.label(), p.label()
	p.bind(p.exact4)
	p.do(opStx, memNetwork)
	p.do(opLdBX, ipv4Protocol)
	p.do(opSt, memProtocol)
	p.compare(opJeqK, protocolTCP, known, next)
	p.compare(opJeqK, protocolUDP, known, p.pass)
	p.bind(known)
	p.do(opLdHX, ipv4Fragment)
	p.compare(opJsetK, 0x1fff, later, next)
	p.do(opLdBX, 0)
	p.do(opAndK, 0x0f)
	p.do(opLshK, 2)
	p.compare(opJgeK, ipv4Header, next, p.pass)
	p.transport()
	p.ends(p.v4, ipv4Source, ipv4Destination)
	p.bind(later)
	p.laterFragment(p.v4, ipv4Source, ipv4Destination)
}

// ownIPv6 is the exact step for IPv6. Of the extension headers it knows the
// fragment header and the hop-by-hop header that the kernel puts before
// super-packets beyond 64 KiB; own traffic has no others.
func (p *prefix) ownIPv6() {
	if len(p.v6) == 0 {
		return
	}
	plain, fragment, jumbo, extended, found, later := p.label(), p.label(), p.label(), p.label(), p.label(), p.label()
	p.bind(p.exact6)
	p.do(opStx, memNetwork)
	p.do(opLdBX, ipv6Next)
	p.do(opSt, memProtocol)
	p.compare(opJeqK, protocolTCP, plain, next)
	p.compare(opJeqK, protocolUDP, plain, next)
	p.compare(opJeqK, protocolFragment, fragment, next)
	p.compare(opJeqK, protocolHopByHop, jumbo, p.pass)

	p.bind(fragment)
	p.do(opLdBX, extensionNext)
	p.do(opSt, memProtocol)
	p.do(opLdHX, extensionOffset)
	p.compare(opJsetK, 0xfff8, later, extended)

	p.bind(jumbo)
	p.do(opLdBX, extensionLength)
	p.compare(opJeqK, 0, next, p.pass)
	p.do(opLdBX, extensionNext)
	p.do(opSt, memProtocol)

	p.bind(extended)
	p.do(opLdMem, memProtocol)
	length := p.label()
	p.compare(opJeqK, protocolTCP, length, next)
	p.compare(opJeqK, protocolUDP, length, p.pass)
	p.bind(length)
	p.do(opLdImm, ipv6Header+ipv6Extension)
	p.jump(found)

	p.bind(plain)
	p.do(opLdImm, ipv6Header)
	p.bind(found)
	p.transport()
	p.ends(p.v6, ipv6Source, ipv6Destination)
	p.bind(later)
	p.laterFragment(p.v6, ipv6Source, ipv6Destination)
}

// transport keeps where the transport header begins: the length of the IP header
// in A behind its start in X. Frames too short for ports pass.
func (p *prefix) transport() {
	p.do(opAddX, 0)
	p.do(opSt, memTransport)
	p.do(opTax, 0)
	p.do(opLdLen, 0)
	p.do(opSubK, portsLength) // no wrap: the first step saw more
	p.compare(opJgeX, 0, next, p.pass)
}

// ends compares both ends of a frame with the targets.
func (p *prefix) ends(list []target, source, destination uint32) {
	to, mark, elsewhere := p.label(), p.label(), p.label()
	p.addressed(list, source, 0, to, to)
	p.bind(to)
	p.addressed(list, destination, 2, mark, elsewhere)
	p.bind(mark)
	p.exportToSensor()
	p.bind(elsewhere)
	p.exportElsewhere()
}

// addressed goes to drop if the frame has a target's address at the offset and
// one of its ports; to noPort with the port in A and the transport header in X if
// it has another port, to noAddress if it is no target's.
func (p *prefix) addressed(list []target, address, port uint32, noPort, noAddress label) {
	// Targets with the same ports share the code that compares them.
	type portSet struct {
		at    label
		ports []uint32
	}
	var sets []portSet
	byPorts := make(map[string]label)
	p.do(opLdxMem, memNetwork)
	p.exactly(list, address, func(t target) label {
		key := fmt.Sprint(t.ports)
		at, seen := byPorts[key]
		if !seen {
			at = p.label()
			byPorts[key] = at
			sets = append(sets, portSet{at, t.ports})
		}
		return at
	}, noAddress)
	for _, s := range sets {
		p.bind(s.at)
		p.do(opLdxMem, memTransport)
		p.do(opLdHX, port)
		p.search(s.ports, func(int) label { return p.drop }, noPort)
	}
}

// exactly goes to the label of the target whose address is at the offset from X,
// to miss if there is none.
func (p *prefix) exactly(list []target, address uint32, hit func(target) label, miss label) {
	words := lastWords(list)
	lastOffset := uint32(len(list[0].words)-1) * 4
	groups := make([][]target, len(words))
	for n := range words {
		for _, t := range list {
			if t.last() == words[n] {
				groups[n] = append(groups[n], t)
			}
		}
	}
	if lastOffset == 0 {
		p.do(opLdWX, address)
		p.search(words, func(n int) label { return hit(groups[n][0]) }, miss)
		return
	}
	labels := make([]label, len(words))
	for n := range labels {
		labels[n] = p.label()
	}
	p.do(opLdWX, address+lastOffset)
	p.search(words, func(n int) label { return labels[n] }, miss)
	for n, group := range groups {
		p.bind(labels[n])
		for _, t := range group {
			other := p.label()
			for w, word := range t.words[:len(t.words)-1] {
				p.do(opLdWX, address+uint32(w)*4)
				yes := next
				if w == len(t.words)-2 {
					yes = hit(t)
				}
				p.compare(opJeqK, word, yes, other)
			}
			p.bind(other)
		}
		p.jump(miss)
	}
}

// laterFragment drops what has a target's address and is UDP, if fragments are
// to be excluded. X is the start of the IP header.
func (p *prefix) laterFragment(list []target, source, destination uint32) {
	if !p.fragments {
		p.jump(p.pass)
		return
	}
	drop := func(target) label { return p.drop }
	to := p.label()
	p.do(opLdMem, memProtocol)
	p.compare(opJeqK, protocolUDP, next, p.pass)
	p.exactly(list, source, drop, to)
	p.bind(to)
	p.exactly(list, destination, drop, p.pass)
}
