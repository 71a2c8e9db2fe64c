package filter

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"rpcapd/rpcap"
)

const far4 = "203.0.113.4" // no sensor's

// withTag puts a tag into a frame behind its addresses, where the kernel puts it back.
func withTag(frame []byte, tag VLAN) []byte {
	b := slices.Clone(frame[:addresses])
	b = binary.BigEndian.AppendUint16(b, tag.TPID)
	b = binary.BigEndian.AppendUint16(b, tag.TCI)
	return append(b, frame[addresses:]...)
}

// TestRunBytes: a tag in the bytes makes no difference to a tag beside them, whatever the program looks at.
func TestRunBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	kept := 0
	for range 3000 {
		p := randomProgram(r, 40)
		for n := range p { // the fields of the tag, too
			if p[n].Op == opLdB && r.IntN(4) == 0 {
				p[n].K = []uint32{ancillaryVLANTag, ancillaryVLANPresent, ancillaryVLANTPID}[r.IntN(3)]
			}
		}
		v := mustVM(t, 60, p...)
		for range 8 {
			frame := randomFrame(r)
			if len(frame) < addresses {
				continue
			}
			tag := VLAN{Present: true, TCI: uint16(r.Uint32()), TPID: []uint16{typeTag, typeTagS}[r.IntN(2)]}
			want := v.RunTagged(frame, 1000, tag)
			if want >= addresses {
				want = min(want+tagHeader, 60)
			}
			whole := withTag(frame, tag)
			before := slices.Clone(whole)
			if got := v.RunBytes(whole, 1000+tagHeader); got != want {
				t.Fatalf("program %v\nframe %x, tag %+v\nkeeps %d, %d of it with the tag beside", p, frame, tag, got, want)
			}
			if !bytes.Equal(whole, before) {
				t.Fatal("the frame was changed")
			}
			kept += min(want, 1)
		}
	}
	if kept < 1000 {
		t.Fatalf("%d frames kept: the test says nothing", kept)
	}
}

// TestRunBytesUntouched: what has no tag that the kernel would take out runs as it is.
func TestRunBytesUntouched(t *testing.T) {
	plain := packet{src: other4, dst: far4, proto: 6, sport: 5, dport: 6}
	tagged := plain
	tagged.tags = []uint16{typeTag}
	whole := tagged.ethernet()
	old := slices.Clone(whole)
	binary.BigEndian.PutUint16(old[addresses:], 0x9100) // the kernel knows it not as a tag
	present := []rpcap.Instruction{op(opLdB, ancillaryVLANPresent), {Op: opJeqK, K: 1, Jf: 1}, op(opRetK, 7), op(opRetK, 9)}
	length := []rpcap.Instruction{op(opLdLen, 0), op(opRetA, 0)}
	raw, err := newVM(linkRaw, present, rpcap.MaxSnaplen)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		v     *VM
		frame []byte
		wire  uint32
		want  int
	}{
		"a tag":                     {mustVM(t, all, present...), whole, 100, 7},
		"a tag that is cut off":     {mustVM(t, all, present...), whole[:15], 100, 9},
		"nothing but a tag":         {mustVM(t, all, present...), whole[:16], 100, 7},
		"no tag":                    {mustVM(t, all, present...), plain.ethernet(), 100, 9},
		"another type":              {mustVM(t, all, present...), old, 100, 9},
		"another link type":         {raw, whole, 100, 9},
		"the length without a tag":  {mustVM(t, all, length...), whole, 20, 20},
		"a length that is no truth": {mustVM(t, all, length...), whole, 3, 0},
		"no bytes":                  {mustVM(t, all, present...), nil, 0, 0},
	} {
		if got := c.v.RunBytes(c.frame, c.wire); got != min(c.want, len(c.frame)) {
			t.Errorf("%s: %d bytes kept, want %d", name, got, c.want)
		}
	}
}

// TestRunBytesExcludes: own traffic in a tag is refused as without a kernel, too.
func TestRunBytesExcludes(t *testing.T) {
	c, err := Compose(linkEthernet, testExclusion(), acceptAll(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Machine()
	if err != nil {
		t.Fatal(err)
	}
	own := packet{src: other4, dst: sensor4, proto: 17, sport: 5, dport: 2010, payload: make([]byte, 20), tags: []uint16{typeTag}}
	foreign := own
	foreign.dst = far4
	if n := v.RunBytes(own.ethernet(), 100); n != 0 {
		t.Errorf("own traffic: %d bytes kept", n)
	}
	if b := foreign.ethernet(); v.RunBytes(b, 100) != len(b) {
		t.Error("other traffic was refused")
	}
}

// TestByTag: each half runs for its frames only, near or far.
func TestByTag(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	kept := 0
	for _, n := range []int{20, 250, 251, 252, 253, 254, 255, 256, 257, 258, 2000} {
		for range 20 {
			tagged, untagged := randomProgram(r, n), randomProgram(r, n)
			p, err := ByTag(tagged, untagged)
			if err != nil || Validate(p) != nil {
				t.Fatalf("%v, %v", err, Validate(p))
			}
			both, with, without := mustVM(t, all, p...), mustVM(t, all, startingWith(1, tagged)...), mustVM(t, all, startingWith(0, untagged)...)
			for range 8 {
				frame := randomFrame(r)
				tag := VLAN{Present: true, TCI: 5, TPID: typeTag}
				if got, want := both.RunTagged(frame, 100, tag), with.RunTagged(frame, 100, tag); got != want {
					t.Fatalf("%d instructions, a tag: %d bytes kept, want %d", n, got, want)
				}
				want := without.Run(frame, 100)
				if got := both.Run(frame, 100); got != want {
					t.Fatalf("%d instructions, no tag: %d bytes kept, want %d", n, got, want)
				}
				kept += min(want, 1)
			}
		}
	}
	if kept < 50 {
		t.Fatalf("%d frames kept: the test says nothing", kept)
	}
	long := slices.Repeat(rpcap.Program{op(opLdImm, 0)}, rpcap.MaxInstructions/2)
	if _, err := ByTag(long, long[:len(long)-3]); err != nil {
		t.Errorf("the longest: %v", err)
	}
	if _, err := ByTag(long, long[:len(long)-2]); err == nil {
		t.Error("a program of more than 8,192 instructions")
	}
}

// startingWith has A as ByTag leaves it.
func startingWith(a uint32, p rpcap.Program) rpcap.Program {
	return append(rpcap.Program{op(opLdImm, a)}, p...)
}

func BenchmarkRunBytes(b *testing.B) {
	p := packet{src: other4, dst: far4, proto: 6, sport: 5, dport: 443, payload: make([]byte, 1400)}
	// tcp port 443, but for IPv6
	v := mustVM(b, all,
		op(opLdH, 12), rpcap.Instruction{Op: opJeqK, K: typeIPv4, Jf: 7},
		op(opLdB, 23), rpcap.Instruction{Op: opJeqK, K: 6, Jf: 5},
		op(opLdxMsh, 14), op(opLdHX, 16), rpcap.Instruction{Op: opJeqK, K: 443, Jf: 2},
		op(opRetK, all), op(opRetK, 0), op(opRetK, 0))
	tagged := p
	tagged.tags = []uint16{typeTag}
	for name, frame := range map[string][]byte{"plain": p.ethernet(), "tagged": tagged.ethernet()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v.RunBytes(frame, uint32(len(frame))) == 0 {
					b.Fatal("refused")
				}
			}
		})
	}
}

// TestDirectTagLoads: what tcpdump makes of ether[0xfffff02c]&0xfff=5, with its optimizer and without.
func TestDirectTagLoads(t *testing.T) {
	short := rpcap.Program{op(opLdB, TagField), op(opAndK, 0xfff), {Op: opJeqK, K: 5, Jf: 1}, op(opRetK, 9), op(opRetK, 0)}
	long := rpcap.Program{
		op(opLdImm, TagField), op(opSt, 3), op(opLdxMem, 3), op(opLdBX, 0), op(opAndK, 0xfff), {Op: opJeqK, K: 5, Jf: 1}, op(opRetK, 9), op(opRetK, 0),
	}
	frame := make([]byte, 60)
	for name, p := range map[string]rpcap.Program{"direct": short, "through X": long} {
		before := slices.Clone(p)
		out, err := DirectTagLoads(p)
		if err != nil || !slices.Equal(p, before) {
			t.Fatalf("%s: %v, the program is %v", name, err, p)
		}
		v := mustVM(t, all, out...)
		if yes, no := v.RunTagged(frame, 60, VLAN{Present: true, TCI: 0x6005}), v.RunTagged(frame, 60, VLAN{Present: true, TCI: 6}); yes != 9 || no != 0 {
			t.Errorf("%s: keeps %d and %d bytes", name, yes, no)
		}
	}
	for name, p := range map[string]rpcap.Program{
		"another way through X": {op(opLdxImm, TagPresent), op(opLdBX, 0), op(opRetA, 0)},
		"another slot":          {op(opLdImm, TagPresent), op(opSt, 3), op(opLdxMem, 2), op(opLdBX, 0), op(opRetA, 0)},
		"at the end":            {op(opLdImm, TagPresent), op(opRetA, 0)},
		"a word":                {op(opLdW, TagPresent), op(opRetA, 0)},
	} {
		if _, err := DirectTagLoads(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
