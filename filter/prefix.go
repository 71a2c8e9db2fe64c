package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Lengths and types of the headers that the prefix looks at, in bytes.
const (
	ethernetHeader = 14
	tagHeader      = 4
	ipv4Header     = 20 // without options
	ipv6Header     = 40
	ipv6Extension  = 8 // fragment header; hop-by-hop header with a jumbo length
	portsLength    = 8 // as much of the transport header as any own frame has

	typeIPv4 = 0x0800
	typeIPv6 = 0x86dd
	typeTag  = 0x8100 // 802.1Q
	typeTagS = 0x88a8 // 802.1ad
)

// prefix writes the code that takes own traffic out. Frames that are none leave
// through pass, own ones through drop.
//
// The first step finds frames whose source or destination has the last word of a
// sensor's address, and the export to other sensors, with loads from fixed offsets,
// once for frames without and once for those with a tag. The second, exact step is
// shared; it finds the start of the IP header in X.
type prefix struct {
	*assembler
	v4, v6     []target
	near       nearEnd
	fragments  bool
	pass, drop label
	exact4     label
	exact6     label
	near4      label
	near6      label
}

// exclude returns the prefix. Its ways out for other traffic end behind its last
// instruction, with zero in A and X as a program finds them. No endpoints: no
// instructions.
func exclude(linkType uint32, ex Exclusion) ([]bpf.RawInstruction, error) {
	if len(ex.Endpoints) == 0 && ex.Near.empty() {
		return nil, nil
	}
	v4, v6, err := ex.targets()
	if err != nil {
		return nil, err
	}
	near, err := ex.Near.end()
	if err != nil {
		return nil, err
	}
	a := newAssembler()
	p := &prefix{
		assembler: a,
		v4:        v4, v6: v6, near: near, fragments: ex.Fragments,
		pass: a.label(), drop: a.label(), exact4: a.label(), exact6: a.label(), near4: a.label(), near6: a.label(),
	}
	if linkType == linkEthernet {
		p.ethernet()
	} else {
		offset, err := networkOffset(linkType)
		if err != nil {
			return nil, fmt.Errorf("exclude own traffic: %w", err)
		}
		p.raw(offset)
	}
	p.nearIPv4()
	p.nearIPv6()
	p.ownIPv4()
	p.ownIPv6()
	p.bind(p.drop)
	p.do(opRetK, 0)
	p.bind(p.pass)
	p.do(opLdImm, 0)
	p.do(opLdxImm, 0)
	out, err := p.assemble()
	if err != nil {
		return nil, fmt.Errorf("exclude own traffic: %w", err)
	}
	return out, nil
}

// shortest is the length of the shortest own IPv4 frame whose IP header begins
// at offset. A later fragment may be a few bytes only.
func (p *prefix) shortest(offset uint32) uint32 {
	if p.fragments {
		return offset + ipv4Header + 1
	}
	return offset + ipv4Header + portsLength
}

func (p *prefix) ethernet() {
	plain4, plain6 := p.label(), p.label()
	tagged, tagged4, tagged6 := p.label(), p.label(), p.label()
	p.longEnough(p.shortest(ethernetHeader))
	p.do(opLdH, ethernetHeader-2)
	p.families(plain4, plain6, next)
	p.compare(opJeqK, typeTag, tagged, next)
	p.compare(opJeqK, typeTagS, tagged, p.pass)
	p.candidates(ethernetHeader, plain4, plain6)

	p.bind(tagged)
	p.longEnough(p.shortest(ethernetHeader + tagHeader))
	p.do(opLdH, ethernetHeader+tagHeader-2)
	p.families(tagged4, tagged6, p.pass)
	p.candidates(ethernetHeader+tagHeader, tagged4, tagged6)
}

// families tells IPv4 from IPv6 by the ethertype in A.
func (p *prefix) families(v4, v6, other label) {
	p.compare(opJeqK, typeIPv4, v4, next)
	p.compare(opJeqK, typeIPv6, v6, other)
}

// raw tells IPv4 from IPv6 by the first four bits of the header.
func (p *prefix) raw(offset uint32) {
	v4, v6 := p.label(), p.label()
	p.longEnough(p.shortest(offset))
	p.do(opLdB, offset)
	p.do(opAndK, 0xf0)
	p.compare(opJeqK, 0x40, v4, next)
	p.compare(opJeqK, 0x60, v6, p.pass)
	p.candidates(offset, v4, v6)
}

// longEnough passes frames shorter than n bytes.
func (p *prefix) longEnough(n uint32) {
	p.do(opLdLen, 0)
	p.compare(opJgeK, n, next, p.pass)
}

// candidates is the first step, for IP headers at offset: it drops the
// export to unknown sensors and goes on to the exact step with what may be own traffic.
func (p *prefix) candidates(offset uint32, v4, v6 label) {
	p.bind(v4)
	p.addresses(p.v4, offset, ipv4Source, ipv4Destination, p.first(p.near.v4, p.near4, p.exact4))
	p.exports4(offset)
	p.bind(v6)
	p.longEnough(offset + ipv6Header + portsLength)
	p.addresses(p.v6, offset, ipv6Source+12, ipv6Destination+12, p.first(p.near.v6, p.near6, p.exact6))
	p.exports6(offset)
}

// addresses goes to exact, with the offset in X, if the last word of an address at
// one of the two places is a target's.
func (p *prefix) addresses(list []target, offset, source, destination uint32, exact label) {
	if len(list) == 0 {
		return
	}
	words := lastWords(list)
	found, other, none := p.label(), p.label(), p.label()
	hit := func(int) label { return found }
	p.do(opLdW, offset+source)
	p.search(words, hit, other)
	p.bind(other)
	p.do(opLdW, offset+destination)
	p.search(words, hit, none)
	p.bind(found)
	p.do(opLdxImm, offset)
	p.jump(exact)
	p.bind(none)
}
