package filter

import (
	"math/rand/v2"

	"rpcapd/rpcap"
)

// randomProgram returns a valid program of n instructions or a few more that does
// something: loads near the start of a frame, memory written before it is read,
// jumps forward, returns here and there.
func randomProgram(r *rand.Rand, n int) rpcap.Program {
	alu := []uint16{opAddK, opAddX, opSubK, opSubX, opMulK, opMulX, opDivK, opDivX, opOrK, opOrX, opAndK, opAndX,
		opLshK, opLshX, opRshK, opRshX, opModK, opModX, opXorK, opXorX, opNeg}
	jumps := []uint16{opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX}
	loads := []uint16{opLdW, opLdH, opLdB, opLdxMsh}
	constant := func() uint32 {
		switch r.IntN(4) {
		case 0:
			return r.Uint32()
		case 1:
			return 1 << r.IntN(32)
		default:
			return uint32(r.IntN(64))
		}
	}
	var p rpcap.Program
	for slot := range uint32(memoryWords) {
		p = append(p, rpcap.Instruction{Op: opSt, K: slot})
	}
	for len(p) < n-1 {
		left := n - len(p) - 1
		if left > 8 && r.IntN(8) == 0 {
			p = append(p, randomIndirect(r)...)
			continue
		}
		in := rpcap.Instruction{K: constant()}
		switch r.IntN(16) {
		case 0, 1, 2, 3:
			in.Op = loads[r.IntN(len(loads))]
			in.K = uint32(r.IntN(80))
			if r.IntN(12) == 0 {
				in.K = constant() & (negativeBase - 1)
			}
		case 4, 5, 6, 7:
			in.Op = alu[r.IntN(len(alu))]
			switch in.Op {
			case opDivK, opModK:
				in.K |= 1
			case opLshK, opRshK:
				in.K %= 32
			}
		case 8, 9:
			in.Op = jumps[r.IntN(len(jumps))]
			in.Jt, in.Jf = uint8(r.IntN(min(left, 6))), uint8(r.IntN(min(left, 6)))
		case 10:
			in = rpcap.Instruction{Op: opJa, K: uint32(r.IntN(min(left, 4)))}
		case 11:
			in.Op = []uint16{opLdMem, opLdxMem, opSt, opStx}[r.IntN(4)]
			in.K %= memoryWords
		case 12:
			in.Op = []uint16{opLdImm, opLdxImm}[r.IntN(2)]
		case 13:
			in.Op = []uint16{opLdLen, opLdxLen}[r.IntN(2)]
			in.K = 0
		case 14:
			in.Op = []uint16{opTax, opTxa}[r.IntN(2)]
			in.K = 0
		case 15:
			if r.IntN(3) != 0 {
				continue
			}
			in.Op = []uint16{opRetK, opRetA}[r.IntN(2)]
		}
		p = append(p, in)
	}
	return append(p, rpcap.Instruction{Op: []uint16{opRetA, opRetK}[r.IntN(2)], K: constant()})
}

// randomIndirect loads from X+k. The bits of X are such that the offset is not in
// the megabytes below zero that mean headers to the kernel alone.
func randomIndirect(r *rand.Rand) rpcap.Program {
	mask := []uint32{0x1f, 0x7f, 0x8007ffff}[r.IntN(3)]
	return rpcap.Program{
		{Op: opTxa}, {Op: opAndK, K: mask}, {Op: opTax},
		{Op: []uint16{opLdWX, opLdHX, opLdBX}[r.IntN(3)], K: uint32(r.IntN(60))},
	}
}

// spoil changes one instruction at random, valid or not.
func spoil(r *rand.Rand, p rpcap.Program) rpcap.Program {
	in := &p[r.IntN(len(p))]
	switch r.IntN(6) {
	case 0:
		in.Op = uint16(r.IntN(0x100))
	case 1:
		in.Op = uint16(r.Uint32())
	case 2:
		in.Jt, in.Jf = uint8(r.IntN(256)), uint8(r.IntN(256))
	case 3:
		in.K = uint32(r.IntN(40))
	case 4:
		in.K = ancillaryBase - 8 + uint32(r.IntN(80))
	case 5:
		p = p[:r.IntN(len(p))+1]
	}
	return p
}

func randomFrame(r *rand.Rand) []byte {
	b := make([]byte, 1+r.IntN(90))
	for n := range b {
		b[n] = byte(r.Uint32())
		if r.IntN(2) == 0 {
			b[n] &= 7
		}
	}
	return b
}
