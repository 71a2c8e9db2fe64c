package rpcap

import (
	"encoding/binary"
	"slices"
	"testing"
)

func TestProgramLimits(t *testing.T) {
	for _, n := range []int{1, 2, 4096, 4097, MaxInstructions} {
		p := slices.Repeat(AcceptAll(), n)
		got, used, err := ParseProgram(p.Append(nil))
		if err != nil || used != 8+8*n || !slices.Equal(got, p) {
			t.Errorf("%d instructions: %d used, %v", n, used, err)
		}
	}
	for _, n := range []int{0, MaxInstructions + 1} {
		if _, _, err := ParseProgram(slices.Repeat(AcceptAll(), n).Append(nil)); err == nil {
			t.Errorf("%d instructions are accepted", n)
		}
	}
	b := AcceptAll().Append(nil)
	for _, typ := range []uint16{0, 2, 0x0100, 65535} {
		binary.BigEndian.PutUint16(b, typ)
		if _, _, err := ParseProgram(b); err == nil {
			t.Errorf("type %d is accepted", typ)
		}
	}
	b = AcceptAll().Append(nil)
	for _, n := range []uint32{2, 8192, 1 << 29, 0x20000001, 0xffffffff} { // 0x20000001 × 8 wraps to 8
		binary.BigEndian.PutUint32(b[4:], n)
		if _, _, err := ParseProgram(b); err == nil {
			t.Errorf("%d instructions in a payload of one are accepted", n)
		}
	}
}

func TestAcceptAllIsFresh(t *testing.T) {
	AcceptAll()[0].K = 0
	if p := AcceptAll(); len(p) != 1 || p[0] != (Instruction{Op: 6, K: MaxSnaplen}) {
		t.Errorf("%+v", p)
	}
}
