package filter

import (
	"encoding/binary"
	"fmt"
	"slices"

	"rpcapd/rpcap"
)

// addresses is the length of the two addresses of an Ethernet frame, behind which a tag stands.
const addresses = ethernetHeader - 2

// RunBytes is Run for a frame that has its tags in its bytes, as streams and files have it. On Ethernet the outer
// 802.1Q or 802.1ad tag is looked at as the kernel of Linux does: it is beside the frame, whose bytes and length
// on the wire are without it. So a program keeps here what it keeps on the interface. What is kept has the tag.
func (v *VM) RunBytes(frame []byte, wireLen uint32) (keep int) {
	if !v.ethernet || len(frame) < addresses+tagHeader {
		return v.Run(frame, wireLen)
	}
	tpid := binary.BigEndian.Uint16(frame[addresses:])
	if tpid != typeTag && tpid != typeTagS {
		return v.Run(frame, wireLen)
	}
	if v.exclude != nil && run(v.exclude, frame, uint32(len(frame)), VLAN{}, nil) == 0 {
		return 0
	}
	tag := VLAN{Present: true, TCI: binary.BigEndian.Uint16(frame[addresses+2:]), TPID: tpid}
	// A load that begins in the addresses may end behind them.
	var head [addresses + tagHeader]byte
	copy(head[:addresses], frame)
	rest := frame[tagHeader:]
	copy(head[addresses:], rest[addresses:])
	n := min(run(v.code, rest, wireLen-min(wireLen, tagHeader), tag, head[:]), v.snaplen)
	if n >= addresses { // the tag is put back, and does not count
		n += tagHeader
	}
	return int(min(uint64(n), uint64(v.snaplen), uint64(len(frame))))
}

// ByTag returns the program that does as tagged does for frames whose outer VLAN tag is beside them, and as untagged
// does for all others.
func ByTag(tagged, untagged rpcap.Program) (rpcap.Program, error) {
	const (
		head = 3   // instructions in front
		near = 255 // what a comparison can jump over
	)
	n := head + len(tagged) + len(untagged)
	if n > rpcap.MaxInstructions {
		return nil, fmt.Errorf("%d instructions, %d for frames with a VLAN tag and %d for others, are more than %d",
			n, len(tagged), len(untagged), rpcap.MaxInstructions)
	}
	p := make(rpcap.Program, 0, n)
	p = append(p, rpcap.Instruction{Op: opLdB, K: ancillaryVLANPresent})
	if len(tagged) <= near {
		p = append(p, rpcap.Instruction{Op: opJeqK, K: 1, Jf: uint8(len(tagged))})
	} else {
		p = append(p, rpcap.Instruction{Op: opJeqK, K: 1, Jt: 1}, rpcap.Instruction{Op: opJa, K: uint32(len(tagged))})
	}
	return append(append(p, tagged...), untagged...), nil
}

// TagPresent and TagField are the offsets from which a program gets the outer VLAN tag that is beside a frame: whether
// there is one, and its 16 bits.
const (
	TagPresent = ancillaryVLANPresent
	TagField   = ancillaryVLANTag
)

// DirectTagLoads returns a program of tcpdump's in which every load of the outer tag is direct, as the kernel wants it.
// Where tcpdump does not optimize (with geneve) it has put the offset into X. The error says that there is a load of
// another form, so that the program would refuse every frame.
func DirectTagLoads(p rpcap.Program) (rpcap.Program, error) {
	p = slices.Clone(p)
	for n, in := range p {
		if in.K != TagPresent && in.K != TagField {
			continue
		}
		switch {
		case in.Op == opLdB:
		case in.Op == opLdImm && len(p) > n+3 && p[n+1].Op == opSt && p[n+2] == (rpcap.Instruction{Op: opLdxMem, K: p[n+1].K}) &&
			p[n+3] == (rpcap.Instruction{Op: opLdBX}):
			p[n+3] = rpcap.Instruction{Op: opLdB, K: in.K}
		default:
			return nil, fmt.Errorf("instruction %d asks for the VLAN tag in a way that the kernel does not know", n)
		}
	}
	return p, nil
}
