package filter

import (
	"errors"
	"fmt"

	"rpcapd/rpcap"
)

// ErrKernelOnly says that a program uses what only the kernel knows, and cannot
// run in user space.
var ErrKernelOnly = errors.New("program works in the kernel only")

// operation is an instruction prepared for run: the opcode is dense, so that the
// interpreter's switch becomes one indexed jump.
type operation struct {
	k      uint32
	do     uint8
	useX   bool // the operand is X instead of k
	jt, jf uint8
}

// skip returns how many operations a comparison jumps over.
func (o *operation) skip(taken bool) int {
	if taken {
		return int(o.jt)
	}
	return int(o.jf)
}

const (
	doReturn uint8 = iota
	doReturnA
	doLoadWord
	doLoadWordIndirect
	doLoadHalf
	doLoadHalfIndirect
	doLoadByte
	doLoadByteIndirect
	doLoadHeaderLength
	doLoad
	doLoadX
	doCopyToX
	doLoadLength
	doLoadXLength
	doLoadMemory
	doLoadXMemory
	doStore
	doStoreX
	doLoadTag
	doLoadTagPresent
	doLoadTagProtocol
	doAdd
	doSub
	doMul
	doDiv
	doMod
	doOr
	doAnd
	doXor
	doShiftLeft
	doShiftRight
	doNegate
	doJump
	doJumpEqual
	doJumpGreater
	doJumpGreaterEqual
	doJumpSet
)

// bitX is the source bit of arithmetic and comparisons: X instead of k.
const bitX = 0x08

// operations maps opcodes to what run does; where the two forms of an operation
// differ in the source bit only, the form with k stands for both.
var operations = map[uint16]uint8{
	opRetK: doReturn, opRetA: doReturnA,
	opLdW: doLoadWord, opLdH: doLoadHalf, opLdB: doLoadByte,
	opLdWX: doLoadWordIndirect, opLdHX: doLoadHalfIndirect, opLdBX: doLoadByteIndirect,
	opLdImm: doLoad, opLdLen: doLoadLength, opLdMem: doLoadMemory,
	opLdxImm: doLoadX, opLdxLen: doLoadXLength, opLdxMem: doLoadXMemory, opLdxMsh: doLoadHeaderLength,
	opSt: doStore, opStx: doStoreX, opTax: doCopyToX, opTxa: doLoad,
	opAddK: doAdd, opSubK: doSub, opMulK: doMul, opDivK: doDiv, opModK: doMod,
	opOrK: doOr, opAndK: doAnd, opXorK: doXor, opLshK: doShiftLeft, opRshK: doShiftRight,
	opNeg: doNegate,
	opJa:  doJump, opJeqK: doJumpEqual, opJgtK: doJumpGreater, opJgeK: doJumpGreaterEqual, opJsetK: doJumpSet,
}

// translate prepares a valid program for run.
func translate(p rpcap.Program) ([]operation, error) {
	code := make([]operation, len(p))
	for n, in := range p {
		op, useX := in.Op, in.Op == opTxa
		if _, direct := operations[op]; !direct {
			op, useX = op&^bitX, true
		}
		do, known := operations[op]
		if !known {
			return nil, fmt.Errorf("%w: instruction %d: unknown opcode %#04x", ErrInvalid, n, in.Op)
		}
		if _, loads := loadsBytes(op); loads && in.K >= negativeBase {
			var err error
			if do, err = metadata(n, in); err != nil {
				return nil, err
			}
		}
		code[n] = operation{k: in.K, do: do, useX: useX, jt: in.Jt, jf: in.Jf}
	}
	return code, nil
}

// metadata maps a load from a very large offset to what is there in user space.
func metadata(n int, in rpcap.Instruction) (uint8, error) {
	name, known := ancillary(in.Op, in.K)
	if !known {
		return 0, fmt.Errorf("%w: instruction %d: offset %#x counts from a header", ErrKernelOnly, n, in.K)
	}
	switch in.K {
	case ancillaryVLANTag:
		return doLoadTag, nil
	case ancillaryVLANPresent:
		return doLoadTagPresent, nil
	case ancillaryVLANTPID:
		return doLoadTagProtocol, nil
	}
	return 0, fmt.Errorf("%w: instruction %d: loads %s", ErrKernelOnly, n, name)
}
