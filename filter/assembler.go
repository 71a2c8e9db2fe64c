package filter

import (
	"errors"
	"math"

	"golang.org/x/net/bpf"
)

// label is a place in the code of an assembler. The zero label is the next
// instruction.
type label int

const next label = 0

// assembler gathers instructions whose jumps are labels. Comparisons reach 255
// instructions; farther ways out get an unconditional jump behind the
// comparison.
type assembler struct {
	lines  []line
	places []int // of each label: index into lines, -1 while unbound
}

type line struct {
	op     uint16
	k      uint32
	jt, jf label // of comparisons; jt alone of an unconditional jump

	farT, farF bool // the way out needs a jump of its own
}

func newAssembler() *assembler {
	return &assembler{places: []int{-1}} // next is never bound
}

func (a *assembler) label() label {
	a.places = append(a.places, -1)
	return label(len(a.places) - 1)
}

// bind puts a label at the instruction that comes next.
func (a *assembler) bind(l label) { a.places[l] = len(a.lines) }

func (a *assembler) do(op uint16, k uint32) { a.lines = append(a.lines, line{op: op, k: k}) }

func (a *assembler) jump(l label) { a.lines = append(a.lines, line{op: opJa, jt: l}) }

func (a *assembler) compare(op uint16, k uint32, yes, no label) {
	a.lines = append(a.lines, line{op: op, k: k, jt: yes, jf: no})
}

// size is the number of instructions that the line becomes.
func (l line) size() int {
	n := 1
	if l.farT {
		n++
	}
	if l.farF {
		n++
	}
	return n
}

// assemble resolves the labels. An error is a fault of the code that was put in:
// a label that is unbound or behind the jump.
func (a *assembler) assemble() ([]bpf.RawInstruction, error) {
	at := a.layout()
	out := make([]bpf.RawInstruction, 0, at[len(a.lines)])
	for n, l := range a.lines {
		in := bpf.RawInstruction{Op: l.op, K: l.k}
		if l.op != opJa && !branches(l.op) {
			out = append(out, in)
			continue
		}
		t, okT := a.distance(at, n, l.jt)
		f, okF := a.distance(at, n, l.jf)
		if !okT || (l.op != opJa && !okF) {
			return nil, errors.New("jump to a label that is unbound or behind")
		}
		if l.op == opJa {
			in.K = uint32(t)
			out = append(out, in)
			continue
		}
		// Ways out that are far go to the unconditional jumps behind.
		hops := 0
		var behind []bpf.RawInstruction
		if l.farT {
			hops++
			behind = append(behind, bpf.RawInstruction{Op: opJa, K: uint32(t - hops)})
			t = hops - 1
		}
		if l.farF {
			hops++
			behind = append(behind, bpf.RawInstruction{Op: opJa, K: uint32(f - hops)})
			f = hops - 1
		}
		in.Jt, in.Jf = uint8(t), uint8(f)
		out = append(append(out, in), behind...)
	}
	return out, nil
}

// layout decides which ways out are far, until none changes, and returns the
// place of each line and of the end. It ends, as ways only become far.
func (a *assembler) layout() []int {
	at := make([]int, len(a.lines)+1)
	for changed := true; changed; {
		changed = false
		for n, l := range a.lines {
			at[n+1] = at[n] + l.size()
		}
		for n := range a.lines {
			l := &a.lines[n]
			if !branches(l.op) {
				continue
			}
			t, _ := a.distance(at, n, l.jt)
			f, _ := a.distance(at, n, l.jf)
			if t > math.MaxUint8 && !l.farT {
				l.farT, changed = true, true
			}
			if f > math.MaxUint8 && !l.farF {
				l.farF, changed = true, true
			}
		}
	}
	return at
}

// distance is the number of instructions between the first one of a line and a
// label; false if there is no way.
func (a *assembler) distance(at []int, n int, l label) (int, bool) {
	if l == next {
		return at[n+1] - at[n] - 1, true
	}
	place := a.places[l]
	if place <= n || place > len(a.lines) {
		return 0, false
	}
	return at[place] - at[n] - 1, true
}

// search puts code that compares A with sorted keys and goes to the label of the
// equal one, or to miss: in sequence when there are few, by halves when many.
func (a *assembler) search(keys []uint32, hit func(i int) label, miss label) {
	a.searchRange(keys, 0, len(keys), hit, miss)
}

// linearKeys is how many keys are compared one after the other: halving costs a
// comparison itself.
const linearKeys = 3

func (a *assembler) searchRange(keys []uint32, from, to int, hit func(i int) label, miss label) {
	if to-from > linearKeys {
		mid := (from + to) / 2
		upper := a.label()
		a.compare(opJgeK, keys[mid], upper, next)
		a.searchRange(keys, from, mid, hit, miss)
		a.bind(upper)
		a.searchRange(keys, mid, to, hit, miss)
		return
	}
	for i := from; i < to; i++ {
		no := next
		if i == to-1 {
			no = miss
		}
		a.compare(opJeqK, keys[i], hit(i), no)
	}
	if from == to {
		a.jump(miss)
	}
}
