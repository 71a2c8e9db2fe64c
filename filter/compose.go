package filter

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"

	"rpcapd/rpcap"
)

// kernelInstructions is the longest program that the kernel takes (BPF_MAXINSNS).
const kernelInstructions = 4096

// Compose returns the sensor's program behind the exclusion of own traffic, with
// every length that it returns capped to the snap length (0, and above 262,144,
// mean 262,144). Together with the prefix it may be too long for the kernel: then
// it is left to a VM. Errors wrap ErrInvalid, ErrLinkType or ErrKernelOnly.
func Compose(linkType uint32, ex Exclusion, p rpcap.Program, snaplen uint32) (Program, error) {
	out, err := prepare(linkType, ex, p, snaplen)
	if err != nil {
		return Program{}, err
	}
	body := limit(p, out.snaplen)
	if len(out.prefix)+len(body) > kernelInstructions {
		return out.inUserSpace()
	}
	out.Kernel = append(slices.Clone(out.prefix), body...)
	return out, nil
}

// UserSpace is Compose with the sensor's program on a VM in any case, for when
// the kernel refuses what Compose made: ENOMEM, because the program is larger
// than net.core.optmem_max allows, or EINVAL from a kernel that lacks an
// instruction.
func UserSpace(linkType uint32, ex Exclusion, p rpcap.Program, snaplen uint32) (Program, error) {
	out, err := prepare(linkType, ex, p, snaplen)
	if err != nil {
		return Program{}, err
	}
	return out.inUserSpace()
}

// Prepend is Compose for whoever runs longer programs than the kernel takes: agents of other makes get what fits into a
// request, and run what their kernel refuses themselves. Other errors are those of Compose.
func Prepend(linkType uint32, ex Exclusion, p rpcap.Program, snaplen uint32) (rpcap.Program, error) {
	out, err := prepare(linkType, ex, p, snaplen)
	if err != nil {
		return nil, err
	}
	body := limit(p, out.snaplen)
	n := len(out.prefix) + len(body)
	if n > rpcap.MaxInstructions {
		return nil, fmt.Errorf("exclude own traffic: %w: %d instructions with the exclusion, at most %d", ErrInvalid, n, rpcap.MaxInstructions)
	}
	whole := make(rpcap.Program, 0, n)
	for _, part := range [][]bpf.RawInstruction{out.prefix, body} {
		for _, k := range part {
			whole = append(whole, rpcap.Instruction{Op: k.Op, Jt: k.Jt, Jf: k.Jf, K: k.K})
		}
	}
	return whole, nil
}

// prepare validates the program and makes the prefix.
func prepare(linkType uint32, ex Exclusion, p rpcap.Program, snaplen uint32) (Program, error) {
	if err := Validate(p); err != nil {
		return Program{}, err
	}
	prefix, err := exclude(linkType, ex)
	if err != nil {
		return Program{}, err
	}
	if len(prefix)+1 > kernelInstructions {
		return Program{}, fmt.Errorf("exclude own traffic: %d addresses of sensors, and %d ports of own connections at %d addresses, take %d instructions; "+
			"the kernel takes %d. Have fewer sessions in one agent", len(ex.Endpoints), len(ex.Near.TCP)+len(ex.Near.UDP), len(ex.Near.Addrs), len(prefix)+1, kernelInstructions)
	}
	if snaplen == 0 || snaplen > rpcap.MaxSnaplen {
		snaplen = rpcap.MaxSnaplen
	}
	return Program{prefix: prefix, linkType: linkType, source: slices.Clone(p), snaplen: snaplen}, nil
}

func (p Program) inUserSpace() (Program, error) {
	v, err := newVM(p.linkType, p.source, p.snaplen)
	if err != nil {
		return Program{}, err
	}
	p.Kernel = withAccept(p.prefix, max(p.snaplen, reach(p.source)))
	p.VM = v
	return p, nil
}

// newVM returns the VM of a valid program.
func newVM(linkType uint32, p rpcap.Program, snaplen uint32) (*VM, error) {
	code, err := translate(p)
	if err != nil {
		return nil, fmt.Errorf("run filter program of %d instructions in user space: %w", len(p), err)
	}
	return &VM{code: code, snaplen: snaplen, ethernet: linkType == linkEthernet}, nil
}

// reach is how many bytes of a frame the program can look at, at most 262,144.
func reach(p rpcap.Program) uint32 {
	var far uint32
	for _, in := range p {
		switch in.Op {
		case opLdWX, opLdHX, opLdBX:
			return rpcap.MaxSnaplen
		}
		if size, ok := loadsBytes(in.Op); ok && in.K < negativeBase {
			far = max(far, in.K+size)
		}
	}
	return min(far, rpcap.MaxSnaplen)
}

// limit caps what the program returns. Constants are capped in place; a return
// of A becomes a jump to a common end that compares first, so that no other jump
// changes.
func limit(p rpcap.Program, snaplen uint32) []bpf.RawInstruction {
	out := make([]bpf.RawInstruction, len(p), len(p)+3)
	computed := false
	for n, in := range p {
		out[n] = bpf.RawInstruction{Op: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
		switch in.Op {
		case opRetK:
			out[n].K = min(in.K, snaplen)
		case opRetA:
			out[n] = bpf.RawInstruction{Op: opJa, K: uint32(len(p) - n - 1)}
			computed = true
		}
	}
	if !computed {
		return out
	}
	return append(out,
		bpf.RawInstruction{Op: opJgtK, K: snaplen, Jf: 1},
		bpf.RawInstruction{Op: opRetK, K: snaplen},
		bpf.RawInstruction{Op: opRetA},
	)
}
