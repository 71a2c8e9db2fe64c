package filter

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rpcapd/rpcap"
)

func TestValidate(t *testing.T) {
	jump := func(code uint16, jt, jf uint8) rpcap.Instruction {
		return rpcap.Instruction{Op: code, Jt: jt, Jf: jf}
	}
	ret := op(opRetK, 1)
	cases := []struct {
		name string
		p    rpcap.Program
		want string // part of the error, empty if valid
	}{
		{"empty", nil, "no instructions"},
		{"return", rpcap.Program{ret}, ""},
		{"return of A", rpcap.Program{op(opRetA, 0)}, ""},
		{"return of X", rpcap.Program{op(0x0e, 0)}, "instruction 0: unknown opcode 0x000e"},
		{"no return", rpcap.Program{ret, op(opLdImm, 1)}, "instruction 1: the last one is not a return"},
		{"opcode 0xffff", rpcap.Program{op(0xffff, 0), ret}, "instruction 0: unknown opcode 0xffff"},
		{"opcode with a high bit", rpcap.Program{op(0x100, 0), ret}, "unknown opcode 0x0100"},
		{"divide by zero", rpcap.Program{op(opDivK, 0), ret}, "instruction 0: divides by zero"},
		{"modulo zero", rpcap.Program{ret, op(opModK, 0), ret}, "instruction 1: divides by zero"},
		{"divide", rpcap.Program{op(opDivK, 1), ret}, ""},
		{"shift by 31", rpcap.Program{op(opLshK, 31), ret}, ""},
		{"shift by 32", rpcap.Program{op(opRshK, 32), ret}, "shifts by 32 bits"},
		{"slot 15", rpcap.Program{op(opSt, 15), op(opLdxMem, 15), ret}, ""},
		{"slot 16", rpcap.Program{op(opStx, 16), ret}, "memory slot 16 of 16"},
		{"jump to the last", rpcap.Program{op(opJa, 1), ret, ret}, ""},
		{"jump behind the last", rpcap.Program{op(opJa, 2), ret, ret}, "instruction 0: jumps 2 further"},
		{"jump back", rpcap.Program{op(opJa, 0xffffffff), ret}, "beyond the end"},
		{"comparison to the last", rpcap.Program{jump(opJeqK, 1, 0), ret, ret}, ""},
		{"comparison behind, true", rpcap.Program{jump(opJgtX, 2, 0), ret, ret}, "jumps 2 or 0"},
		{"comparison behind, false", rpcap.Program{jump(opJsetK, 0, 2), ret, ret}, "jumps 0 or 2"},
		{"metadata", rpcap.Program{op(opLdB, ancillaryVLANPresent), ret}, ""},
		{"metadata that is none", rpcap.Program{op(opLdW, ancillaryBase+2), ret}, "unknown metadata"},
		{"offset from the network header", rpcap.Program{op(opLdW, 0xfff00000), ret}, ""},
		{"slot not written", rpcap.Program{op(opLdMem, 3), ret}, "instruction 0: loads M[3]"},
		{"slot written on one way", rpcap.Program{jump(opJeqK, 0, 1), op(opSt, 2), op(opLdMem, 2), ret}, "instruction 2: loads M[2]"},
		{"slot written on both ways", rpcap.Program{jump(opJeqK, 0, 2), op(opSt, 2), op(opJa, 1), op(opStx, 2), op(opLdMem, 2), ret}, ""},
		{"8,192", append(slices.Repeat(rpcap.Program{op(opNeg, 0)}, 8191), ret), ""},
		{"8,193", append(slices.Repeat(rpcap.Program{op(opNeg, 0)}, 8192), ret), "8193 instructions, more than 8192"},
	}
	for _, c := range cases {
		err := Validate(c.p)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if c.want == "" {
			continue
		}
		if _, err := Compose(linkEthernet, Exclusion{}, c.p, 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: composed: %v", c.name, err)
		}
		if _, err := UserSpace(linkEthernet, Exclusion{}, c.p, 0); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: composed for user space: %v", c.name, err)
		}
	}
}
