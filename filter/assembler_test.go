package filter

import (
	"fmt"
	"testing"
)

// TestFarJumps puts any number of instructions between a comparison and its two
// ways out, around the reach of 255, and runs both.
func TestFarJumps(t *testing.T) {
	for _, gap := range []int{0, 1, 252, 253, 254, 255, 256, 257, 600} {
		for _, gap2 := range []int{0, 1, 254, 255, 256} {
			t.Run(fmt.Sprint(gap, "+", gap2), func(t *testing.T) {
				for _, c := range []struct {
					a    uint32
					want uint32
				}{{7, 1}, {8, 2}} {
					s := newAssembler()
					yes, no := s.label(), s.label()
					s.do(opLdImm, c.a)
					s.compare(opJeqK, 7, yes, no)
					for range gap {
						s.do(opRetK, 99)
					}
					s.bind(yes)
					s.do(opRetK, 1)
					for range gap2 {
						s.do(opRetK, 99)
					}
					s.bind(no)
					s.do(opRetK, 2)
					checkAssembled(t, s, c.want)
				}
			})
		}
	}
}

// TestFarFallThrough has one way out that is far and the other next.
func TestFarFallThrough(t *testing.T) {
	for _, yesFar := range []bool{true, false} {
		for a, want := range map[uint32]uint32{7: 1, 8: 2} {
			s := newAssembler()
			far := s.label()
			s.do(opLdImm, a)
			if yesFar {
				s.compare(opJeqK, 8, far, next)
			} else {
				s.compare(opJeqK, 7, next, far)
			}
			s.do(opRetK, 1)
			for range 300 {
				s.do(opRetK, 99)
			}
			s.bind(far)
			s.do(opRetK, 2)
			checkAssembled(t, s, want)
		}
	}
}

func TestSearch(t *testing.T) {
	for count := range 20 {
		var keys []uint32
		for n := range count {
			keys = append(keys, uint32(n*2)+0xfffffff0-40)
		}
		for probe := uint32(0xfffffff0 - 42); probe < 0xfffffff0+2; probe++ {
			s := newAssembler()
			labels := make([]label, count)
			for n := range labels {
				labels[n] = s.label()
			}
			miss := s.label()
			s.do(opLdImm, probe)
			s.search(keys, func(i int) label { return labels[i] }, miss)
			want := uint32(1000)
			for n, l := range labels {
				s.bind(l)
				s.do(opRetK, uint32(n+1))
				if keys[n] == probe {
					want = uint32(n + 1)
				}
			}
			s.bind(miss)
			s.do(opRetK, 1000)
			checkAssembled(t, s, want)
		}
	}
}

// checkAssembled runs the program on nothing and compares what it returns.
func checkAssembled(t *testing.T, s *assembler, want uint32) {
	t.Helper()
	raw, err := s.assemble()
	if err != nil {
		t.Fatal(err)
	}
	p := fromRaw(raw)
	if err := Validate(p); err != nil {
		t.Fatal(err)
	}
	code, err := translate(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := run(code, nil, 0, VLAN{}, nil); got != want {
		t.Fatalf("returns %d, want %d: %v", got, want, raw)
	}
}

func TestAssemblerRefuses(t *testing.T) {
	s := newAssembler()
	s.compare(opJeqK, 1, s.label(), next)
	s.do(opRetK, 0)
	if _, err := s.assemble(); err == nil {
		t.Error("unbound label")
	}
	s = newAssembler()
	behind := s.label()
	s.bind(behind)
	s.do(opRetK, 0)
	s.jump(behind)
	if _, err := s.assemble(); err == nil {
		t.Error("jump back")
	}
}
