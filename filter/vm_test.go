package filter

import (
	"errors"
	"math/rand/v2"
	"testing"

	"rpcapd/rpcap"
)

func mustVM(t testing.TB, snaplen uint32, p ...rpcap.Instruction) *VM {
	t.Helper()
	if err := Validate(p); err != nil {
		t.Fatal(err)
	}
	v, err := newVM(linkEthernet, p, snaplen)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// op is an instruction without jumps.
func op(code uint16, k uint32) rpcap.Instruction { return rpcap.Instruction{Op: code, K: k} }

const all = rpcap.MaxSnaplen

// vmFrame is 16 bytes, 0x10 to 0x1f, of 1,000 on the wire.
var vmFrame = []byte{
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
}

// vmCases have answers that are known without a machine.
var vmCases = []struct {
	name    string
	want    int
	snaplen uint32
	p       []rpcap.Instruction
}{
	{"constant", 5, all, []rpcap.Instruction{op(opRetK, 5)}},
	{"all", 16, all, []rpcap.Instruction{op(opRetK, 0xffffffff)}},
	{"none", 0, all, []rpcap.Instruction{op(opRetK, 0)}},
	{"snap length", 7, 7, []rpcap.Instruction{op(opRetK, 9)}},
	{"A, zero at the start", 0, all, []rpcap.Instruction{op(opRetA, 0)}},
	{"A above the snap length", 6, 6, []rpcap.Instruction{op(opLdImm, 12), op(opRetA, 0)}},
	{"word", 16, all, []rpcap.Instruction{op(opLdW, 12), op(opSubK, 0x1c1d1e1f-20), op(opRetA, 0)}},
	{"word across the end", 0, all, []rpcap.Instruction{op(opLdW, 13), op(opRetK, 9)}},
	{"half across the end", 0, all, []rpcap.Instruction{op(opLdH, 15), op(opRetK, 9)}},
	{"last byte", 9, all, []rpcap.Instruction{op(opLdB, 15), op(opRetK, 9)}},
	{"byte behind the end", 0, all, []rpcap.Instruction{op(opLdB, 16), op(opRetK, 9)}},
	{"header length behind the end", 0, all, []rpcap.Instruction{op(opLdxMsh, 16), op(opRetK, 9)}},
	{"header length", 12, all, []rpcap.Instruction{op(opLdxMsh, 3), op(opTxa, 0), op(opRetA, 0)}},
	{"indirect wraps", 3, all, []rpcap.Instruction{op(opLdxImm, 0xffffffff), op(opLdBX, 4), op(opSubK, 0x10), op(opRetA, 0)}},
	{"indirect below zero", 0, all, []rpcap.Instruction{op(opLdxImm, 0xffffffff), op(opLdBX, 0), op(opRetK, 9)}},
	{"largest indirect", 0, all, []rpcap.Instruction{op(opLdxImm, 0x7fffffff), op(opLdWX, 0), op(opRetK, 9)}},
	{"wire length", 9, all, []rpcap.Instruction{op(opLdLen, 0), op(opSubK, 991), op(opRetA, 0)}},
	{"wire length in X", 9, all, []rpcap.Instruction{op(opLdxLen, 0), op(opTxa, 0), op(opSubK, 991), op(opRetA, 0)}},
	{"divide by zero in X", 0, all, []rpcap.Instruction{op(opLdImm, 9), op(opDivX, 0), op(opRetK, 9)}},
	{"modulo zero in X", 0, all, []rpcap.Instruction{op(opLdImm, 9), op(opModX, 0), op(opRetK, 9)}},
	{"negate", 8, all, []rpcap.Instruction{op(opLdImm, 0xfffffff8), op(opNeg, 0), op(opRetA, 0)}},
	{"shift by 33 in X is by 1", 8, all, []rpcap.Instruction{op(opLdxImm, 33), op(opLdImm, 4), op(opLshX, 0), op(opRetA, 0)}},
	{"memory", 11, all, []rpcap.Instruction{op(opLdImm, 11), op(opSt, 15), op(opLdImm, 0), op(opLdMem, 15), op(opRetA, 0)}},
	{"no tag", 2, all, []rpcap.Instruction{op(opLdB, ancillaryVLANPresent), op(opAddK, 2), op(opRetA, 0)}},
}

func TestVMAnswers(t *testing.T) {
	for _, c := range vmCases {
		v := mustVM(t, c.snaplen, c.p...)
		if got := v.Run(vmFrame, 1000); got != c.want {
			t.Errorf("%s: keeps %d, want %d", c.name, got, c.want)
		}
	}
}

func TestVMSeesTheTag(t *testing.T) {
	v := mustVM(t, 100,
		op(opLdB, ancillaryVLANPresent),
		rpcap.Instruction{Op: opJeqK, K: 1, Jf: 5},
		op(opLdH, ancillaryVLANTPID),
		rpcap.Instruction{Op: opJeqK, K: 0x88a8, Jf: 3},
		op(opLdH, ancillaryVLANTag),
		rpcap.Instruction{Op: opJeqK, K: 0x2005, Jf: 1},
		op(opRetK, 100), op(opRetK, 0))
	frame := make([]byte, 60)
	if got := v.RunTagged(frame, 60, VLAN{Present: true, TCI: 0x2005, TPID: 0x88a8}); got != 60 {
		t.Errorf("with the tag: keeps %d", got)
	}
	if got := v.RunTagged(frame, 60, VLAN{Present: true, TCI: 0x2006, TPID: 0x88a8}); got != 0 {
		t.Errorf("with another tag: keeps %d", got)
	}
	if got := v.Run(frame, 60); got != 0 {
		t.Errorf("without a tag: keeps %d", got)
	}
}

func TestKernelOnly(t *testing.T) {
	for _, k := range []uint32{ancillaryBase + 4, ancillaryBase + 56, 0xfff00000, 0xffe0000e, negativeBase} {
		p := rpcap.Program{op(opLdW, k), op(opRetK, 1)}
		if _, err := Compose(linkEthernet, Exclusion{}, p, 0); err != nil {
			t.Errorf("offset %#x for the kernel: %v", k, err)
		}
		_, err := UserSpace(linkEthernet, Exclusion{}, p, 0)
		if !errors.Is(err, ErrKernelOnly) {
			t.Errorf("offset %#x in user space: %v", k, err)
		}
		t.Log(err)
	}
}

func TestVMAllocatesNothing(t *testing.T) {
	ex := testExclusion()
	p, err := UserSpace(linkEthernet, ex, acceptAll(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Machine()
	if err != nil {
		t.Fatal(err)
	}
	frame := packet{src: other4, dst: sensor4, proto: 17, sport: 1, dport: 2}.ethernet()
	if n := testing.AllocsPerRun(100, func() { v.Run(frame, 1500) }); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

// TestVMAgainstForeign compares with the VM of x/net/bpf where that one does as
// the kernel does: no negation, no length in X, no shift by X, no indirect load.
func TestVMAgainstForeign(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compared, kept := 0, 0
	for range 4000 {
		p := randomProgram(r, 20+r.IntN(60))
		for n := range p {
			switch p[n].Op {
			case opNeg, opLdxLen, opLshX, opRshX, opLdWX, opLdHX, opLdBX:
				p[n] = op(opAddK, 1)
			}
		}
		if err := Validate(p); err != nil {
			t.Fatal(err)
		}
		foreign := foreignVM(toRaw(p))
		if foreign == nil {
			continue
		}
		own := mustVM(t, rpcap.MaxSnaplen, p...)
		for range 8 {
			frame := randomFrame(r)
			// The VM of x/net keeps up to 2^63, ours up to 262,144: the same here.
			want, got := runForeign(t, foreign, frame), own.Run(frame, uint32(len(frame)))
			if got != want {
				t.Fatalf("program %v\nframe %x\nkeeps %d, x/net %d", p, frame, got, want)
			}
			compared++
			kept += min(got, 1)
		}
	}
	if compared < 10000 || kept < compared/20 {
		t.Fatalf("compared %d times, kept %d: the test says nothing", compared, kept)
	}
}

func BenchmarkVM(b *testing.B) {
	ex := testExclusion()
	ex.Endpoints = ex.Endpoints[:1]
	p, err := Compose(linkEthernet, ex, acceptAll(), 0)
	if err != nil {
		b.Fatal(err)
	}
	own, err := p.Machine()
	if err != nil {
		b.Fatal(err)
	}
	foreign := foreignVM(p.Kernel)
	for name, frame := range map[string][]byte{
		"foreign traffic": packet{src: other4, dst: "203.0.113.4", proto: 6, sport: 5, dport: 6}.ethernet(),
		"own traffic":     packet{src: other4, dst: sensor4, proto: 17, sport: 5, dport: 2010}.ethernet(),
	} {
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				own.Run(frame, uint32(len(frame)))
			}
		})
		b.Run(name+"/x-net", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = foreign.Run(frame)
			}
		})
	}
}
