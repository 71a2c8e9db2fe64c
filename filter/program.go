package filter

import (
	"slices"

	"golang.org/x/net/bpf"

	"rpcapd/rpcap"
)

// Program is a composed filter, ready to be attached. It is immutable.
type Program struct {
	// Kernel is attached to the socket. It refuses own traffic always, and holds
	// the sensor's program unless VM does. It never returns more than 262,144.
	Kernel []bpf.RawInstruction

	// VM is nil when the kernel runs it all. Otherwise each frame that Kernel
	// accepts is run through it, and what it keeps is forwarded. Kernel may accept
	// more bytes than the snap length then, because a program may look beyond.
	VM *VM

	prefix   []bpf.RawInstruction
	linkType uint32
	source   rpcap.Program
	snaplen  uint32
}

// Machine returns a VM that does all that Kernel and VM do together, for frames
// that no kernel filters (a file), or if the kernel refuses even the prefix. The
// error wraps ErrKernelOnly if the sensor's program cannot run in user space.
func (p Program) Machine() (*VM, error) {
	v, err := newVM(p.linkType, p.source, p.snaplen)
	if err != nil || p.prefix == nil {
		return v, err
	}
	own := make(rpcap.Program, 0, len(p.prefix)+1)
	for _, in := range withAccept(p.prefix, rpcap.MaxSnaplen) {
		own = append(own, rpcap.Instruction{Op: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K})
	}
	v.exclude, err = translate(own)
	return v, err
}

// RejectAll returns the program that refuses every frame.
func RejectAll() []bpf.RawInstruction {
	return []bpf.RawInstruction{{Op: opRetK}}
}

// withAccept returns the prefix with "keep n bytes" behind it.
func withAccept(prefix []bpf.RawInstruction, n uint32) []bpf.RawInstruction {
	return append(slices.Clone(prefix), bpf.RawInstruction{Op: opRetK, K: n})
}

// LinuxOnly says whether the sensor's program loads what only the kernel of Linux has: the VLAN tag and other metadata
// beside a frame, and offsets that count from a header. Other kernels refuse every frame at such a load.
func (p Program) LinuxOnly() bool {
	for _, in := range p.source {
		if _, loads := loadsBytes(in.Op); loads && in.K >= negativeBase {
			return true
		}
	}
	return false
}
