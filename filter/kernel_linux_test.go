package filter

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/rpcap"
)

// TestVMAgainstKernel compares verdict and truncation of random programs.
func TestVMAgainstKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	k := newKernelSocket(t)
	compared, kept := 0, 0
	for range 1500 {
		p := randomProgram(r, 20+r.IntN(60))
		own := mustVM(t, rpcap.MaxSnaplen, p...)
		if err := k.attach(toRaw(p)); err != nil {
			t.Fatalf("attach %v: %v", p, err)
		}
		for range 8 {
			frame := randomFrame(r)
			want, got := k.run(t, frame), own.Run(frame, uint32(len(frame)))
			if got != want {
				t.Fatalf("program %v\nframe %x\nkeeps %d, kernel %d", p, frame, got, want)
			}
			compared++
			kept += min(got, 1)
		}
	}
	if kept < compared/20 {
		t.Fatalf("compared %d times, kept %d: the test says nothing", compared, kept)
	}
}

// TestVMAnswersOfKernel gives the kernel the programs whose answers are known.
func TestVMAnswersOfKernel(t *testing.T) {
	k := newKernelSocket(t)
	for _, c := range vmCases {
		usesLength := slices.ContainsFunc(c.p, func(in rpcap.Instruction) bool { return in.Op == opLdLen || in.Op == opLdxLen })
		if c.snaplen != all || usesLength {
			continue // the socket knows neither
		}
		if err := k.attach(toRaw(c.p)); err != nil {
			t.Errorf("%s: attach: %v", c.name, err)
			continue
		}
		if got := k.run(t, vmFrame); got != c.want {
			t.Errorf("%s: keeps %d, want %d", c.name, got, c.want)
		}
	}
}

// TestLimitAgainstKernel: a capped program keeps the lesser of what the program
// keeps and the snap length, also where the length is computed.
func TestLimitAgainstKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	plain, capped := newKernelSocket(t), newKernelSocket(t)
	cut := 0
	for range 800 {
		p := randomProgram(r, 20+r.IntN(40))
		snaplen := uint32(1 + r.IntN(60))
		c, err := Compose(linkEthernet, Exclusion{}, p, snaplen)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(plain.attach(toRaw(p)), capped.attach(c.Kernel)); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			frame := randomFrame(r)
			whole := plain.run(t, frame)
			want := min(whole, int(snaplen))
			if got := capped.run(t, frame); got != want {
				t.Fatalf("program %v\nsnaplen %d, frame %x\nkeeps %d, want %d", p, snaplen, frame, got, want)
			}
			if want != whole {
				cut++
			}
		}
	}
	if cut == 0 {
		t.Fatal("no frame was cut")
	}
}

// TestValidateAgainstKernel: what passes is attached, what fails is refused.
func TestValidateAgainstKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	k := newKernelSocket(t)
	good, bad := 0, 0
	try := func(p rpcap.Program) {
		t.Helper()
		ours, kernels := Validate(p), k.attach(toRaw(p))
		if kernels != nil && !errors.Is(kernels, unix.EINVAL) {
			t.Fatalf("attach: %v", kernels)
		}
		if (ours == nil) != (kernels == nil) {
			t.Fatalf("program %v\nValidate: %v, kernel: %v", p, ours, kernels)
		}
		if ours == nil {
			good++
		} else {
			bad++
		}
	}
	for range 6000 {
		p := spoil(r, randomProgram(r, 8+r.IntN(30)))
		// Without the stores at the start, loads find slots that are not written.
		if r.IntN(2) == 0 && len(p) > memoryWords {
			p = p[memoryWords-2+r.IntN(3):]
		}
		try(p)
	}
	for code := range 0x200 {
		try(rpcap.Program{op(opSt, 3), op(uint16(code), 3), op(opRetK, 1), op(opRetK, 1), op(opRetK, 1), op(opRetK, 1)})
	}
	if good < 500 || bad < 500 {
		t.Fatalf("%d good and %d bad programs: the test says nothing", good, bad)
	}
	long := slices.Repeat(rpcap.Program{op(opLdImm, 1)}, kernelInstructions-1)
	try(append(long, op(opRetA, 0)))
}

// TestRandomProgramBehindPrefix: a program behind the prefix does as it does
// alone, for frames that are not own traffic.
func TestRandomProgramBehindPrefix(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	alone, behind := newKernelSocket(t), newKernelSocket(t)
	for range 400 {
		p := randomProgram(r, 20+r.IntN(40))
		c, err := Compose(linkEthernet, testExclusion(), p, 0)
		if err != nil {
			t.Fatal(err)
		}
		u, err := UserSpace(linkEthernet, testExclusion(), p, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(alone.attach(toRaw(p)), behind.attach(c.Kernel)); err != nil {
			t.Fatal(err)
		}
		for _, o := range ownCases {
			if o.own || o.fragments {
				continue
			}
			frame := o.p.ethernet()
			want := alone.run(t, frame)
			if got := behind.run(t, frame); got != want {
				t.Fatalf("%s: program %v\nkeeps %d, alone %d", o.name, p, got, want)
			}
			if got := u.VM.Run(frame, uint32(len(frame))); got != want {
				t.Fatalf("%s: program %v\nin user space keeps %d, in the kernel %d", o.name, p, got, want)
			}
		}
	}
}

// TestLargestPrograms: what the kernel holds is left to it, more goes to a VM.
func TestLargestPrograms(t *testing.T) {
	k := newKernelSocket(t)
	prefix, err := exclude(linkEthernet, testExclusion())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		length int
		vm     bool
	}{{kernelInstructions - len(prefix), false}, {kernelInstructions - len(prefix) + 1, true}, {rpcap.MaxInstructions, true}} {
		p := append(slices.Repeat(rpcap.Program{op(opAddK, 1)}, c.length-1), op(opRetK, 50))
		out, err := Compose(linkEthernet, testExclusion(), p, 40)
		if err != nil {
			t.Fatal(err)
		}
		if (out.VM != nil) != c.vm {
			t.Errorf("%d instructions: VM %v", c.length, out.VM != nil)
		}
		if err := k.attach(out.Kernel); err != nil {
			t.Errorf("%d instructions: attach %d: %v", c.length, len(out.Kernel), err)
		}
		frame := packet{src: other4, dst: "203.0.113.4", proto: 6, payload: make([]byte, 99)}.ethernet()
		got := k.run(t, frame)
		if out.VM != nil {
			got = out.VM.Run(frame[:got], uint32(len(frame)))
		}
		if got != 40 {
			t.Errorf("%d instructions: keeps %d, want 40", c.length, got)
		}
	}
}
