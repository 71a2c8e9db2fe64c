package filter

// Opcodes of classic BPF: class | size or operation | mode or source
// (linux/bpf_common.h). Only those that the kernel accepts have a name.
const (
	opLdImm = 0x00 // A = k
	opLdLen = 0x80 // A = length on the wire
	opLdMem = 0x60 // A = M[k]
	opLdW   = 0x20 // A = 4, 2 or 1 bytes at k
	opLdH   = 0x28
	opLdB   = 0x30
	opLdWX  = 0x40 // A = 4, 2 or 1 bytes at X+k
	opLdHX  = 0x48
	opLdBX  = 0x50

	opLdxImm = 0x01
	opLdxLen = 0x81
	opLdxMem = 0x61
	opLdxMsh = 0xb1 // X = 4 * (byte at k & 15), the length of an IPv4 header

	opSt  = 0x02 // M[k] = A
	opStx = 0x03 // M[k] = X

	opAddK, opAddX = 0x04, 0x0c
	opSubK, opSubX = 0x14, 0x1c
	opMulK, opMulX = 0x24, 0x2c
	opDivK, opDivX = 0x34, 0x3c
	opOrK, opOrX   = 0x44, 0x4c
	opAndK, opAndX = 0x54, 0x5c
	opLshK, opLshX = 0x64, 0x6c
	opRshK, opRshX = 0x74, 0x7c
	opModK, opModX = 0x94, 0x9c
	opXorK, opXorX = 0xa4, 0xac
	opNeg          = 0x84

	opJa             = 0x05
	opJeqK, opJeqX   = 0x15, 0x1d
	opJgtK, opJgtX   = 0x25, 0x2d
	opJgeK, opJgeX   = 0x35, 0x3d
	opJsetK, opJsetX = 0x45, 0x4d

	opRetK = 0x06
	opRetA = 0x16

	opTax = 0x07
	opTxa = 0x87
)

// memoryWords is the number of words in M.
const memoryWords = 16

// accepted tells whether the kernel knows the opcode. Any other bit, also in the
// high byte, makes it unknown.
func accepted(op uint16) bool {
	switch op {
	case opLdImm, opLdLen, opLdMem, opLdW, opLdH, opLdB, opLdWX, opLdHX, opLdBX,
		opLdxImm, opLdxLen, opLdxMem, opLdxMsh, opSt, opStx,
		opAddK, opAddX, opSubK, opSubX, opMulK, opMulX, opDivK, opDivX,
		opOrK, opOrX, opAndK, opAndX, opLshK, opLshX, opRshK, opRshX,
		opModK, opModX, opXorK, opXorX, opNeg,
		opJa, opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX,
		opRetK, opRetA, opTax, opTxa:
		return true
	}
	return false
}

// branches tells whether the opcode is a comparison with two ways out.
func branches(op uint16) bool {
	switch op {
	case opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX:
		return true
	}
	return false
}

// loadsBytes tells whether the opcode is a load from a fixed offset, and of how
// many bytes.
func loadsBytes(op uint16) (size uint32, ok bool) {
	switch op {
	case opLdW:
		return 4, true
	case opLdH:
		return 2, true
	case opLdB, opLdxMsh:
		return 1, true
	}
	return 0, false
}
