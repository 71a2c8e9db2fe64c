package filter

import (
	"testing"

	"golang.org/x/net/bpf"

	"rpcapd/rpcap"
)

// machine runs one program on frames and says how many bytes are kept.
type machine struct {
	name string
	run  func(frame []byte) int
}

// machines returns everything that can run a composed program.
func machines(t testing.TB, p Program) []machine {
	t.Helper()
	whole, err := p.Machine()
	if err != nil {
		t.Fatal(err)
	}
	all := []machine{{"machine", func(f []byte) int { return whole.Run(f, uint32(len(f))) }}}
	behind := func(name string, run func([]byte) int) machine {
		return machine{name, func(f []byte) int {
			n := run(f)
			if p.VM != nil && n != 0 {
				return p.VM.Run(f[:n], uint32(len(f)))
			}
			return n
		}}
	}
	code, err := translate(fromRaw(p.Kernel))
	if err != nil {
		t.Fatal(err)
	}
	own := &VM{code: code, snaplen: rpcap.MaxSnaplen}
	all = append(all, behind("own VM", func(f []byte) int { return own.Run(f, uint32(len(f))) }))
	if vm := foreignVM(p.Kernel); vm != nil {
		all = append(all, behind("x/net VM", func(f []byte) int { return runForeign(t, vm, f) }))
	}
	if run := kernelMachine(t, p.Kernel); run != nil {
		all = append(all, behind("kernel", run))
	}
	return all
}

func fromRaw(p []bpf.RawInstruction) rpcap.Program {
	out := make(rpcap.Program, len(p))
	for n, in := range p {
		out[n] = rpcap.Instruction{Op: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return out
}

func toRaw(p rpcap.Program) []bpf.RawInstruction {
	out := make([]bpf.RawInstruction, len(p))
	for n, in := range p {
		out[n] = bpf.RawInstruction{Op: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return out
}

// foreignVM returns the VM of x/net/bpf, nil if it does not take the program.
func foreignVM(p []bpf.RawInstruction) *bpf.VM {
	ins, all := bpf.Disassemble(p)
	if !all {
		return nil
	}
	vm, err := bpf.NewVM(ins)
	if err != nil {
		return nil
	}
	return vm
}

func runForeign(t testing.TB, vm *bpf.VM, frame []byte) int {
	t.Helper()
	n, err := vm.Run(frame)
	if err != nil {
		t.Fatal(err)
	}
	return min(n, len(frame))
}

// acceptAll is the program of a sensor without a filter.
func acceptAll() rpcap.Program { return rpcap.Program{{Op: opRetK, K: rpcap.MaxSnaplen}} }
