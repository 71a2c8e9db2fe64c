package filter

import (
	"errors"
	"fmt"

	"rpcapd/rpcap"
)

// ErrInvalid is wrapped by every error of Validate.
var ErrInvalid = errors.New("invalid filter program")

// Validate tells whether the program may be run: 1 to 8,192 instructions, each of
// which the kernel would accept at its place. The error names the first bad one,
// counted from 0, and wraps ErrInvalid.
func Validate(p rpcap.Program) error {
	if len(p) == 0 {
		return fmt.Errorf("%w: no instructions", ErrInvalid)
	}
	if len(p) > rpcap.MaxInstructions {
		return fmt.Errorf("%w: %d instructions, more than %d", ErrInvalid, len(p), rpcap.MaxInstructions)
	}
	for n, in := range p {
		if fault := check(in, len(p)-n-1); fault != "" {
			return fmt.Errorf("%w: instruction %d: %s", ErrInvalid, n, fault)
		}
	}
	last := p[len(p)-1].Op
	if last != opRetK && last != opRetA {
		return fmt.Errorf("%w: instruction %d: the last one is not a return", ErrInvalid, len(p)-1)
	}
	if n, slot, ok := unwritten(p); !ok {
		return fmt.Errorf("%w: instruction %d: loads M[%d], which is not written on every path to it", ErrInvalid, n, slot)
	}
	return nil
}

// check returns what is wrong with one instruction that has after others behind
// it, empty if nothing.
func check(in rpcap.Instruction, after int) string {
	switch in.Op {
	case opDivK, opModK:
		if in.K == 0 {
			return "divides by zero"
		}
	case opLshK, opRshK:
		if in.K >= 32 {
			return fmt.Sprintf("shifts by %d bits of 32", in.K)
		}
	case opLdMem, opLdxMem, opSt, opStx:
		if in.K >= memoryWords {
			return fmt.Sprintf("memory slot %d of %d", in.K, memoryWords)
		}
	case opJa:
		if uint64(in.K) >= uint64(after) {
			return fmt.Sprintf("jumps %d further, beyond the end", in.K)
		}
	case opLdW, opLdH, opLdB:
		if _, known := ancillary(in.Op, in.K); in.K >= ancillaryBase && !known {
			return fmt.Sprintf("loads unknown metadata (offset %#x)", in.K)
		}
	}
	if branches(in.Op) && (int(in.Jt) >= after || int(in.Jf) >= after) {
		return fmt.Sprintf("jumps %d or %d further, beyond the end", in.Jt, in.Jf)
	}
	if !accepted(in.Op) {
		return fmt.Sprintf("unknown opcode %#04x", in.Op)
	}
	return ""
}

// unwritten finds a load from memory that was not stored on every way to it. It
// does as check_load_and_stores of the kernel does: one pass, as all jumps lead
// forward, with the slots known to be written as a bit mask per instruction.
// The jumps of the program are known to be in range.
func unwritten(p rpcap.Program) (instruction int, slot uint32, ok bool) {
	const all = 1<<memoryWords - 1
	at := make([]uint16, len(p))
	for n := range at {
		at[n] = all
	}
	written := uint16(0)
	for n, in := range p {
		written &= at[n]
		switch {
		case in.Op == opSt || in.Op == opStx:
			written |= 1 << in.K
		case in.Op == opLdMem || in.Op == opLdxMem:
			if written&(1<<in.K) == 0 {
				return n, in.K, false
			}
		case in.Op == opJa:
			at[n+1+int(in.K)] &= written
			written = all
		case branches(in.Op):
			at[n+1+int(in.Jt)] &= written
			at[n+1+int(in.Jf)] &= written
			written = all
		}
	}
	return 0, 0, true
}
