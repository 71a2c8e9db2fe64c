#include "textflag.h"

// func Bytes(b []byte)
TEXT ·Bytes(SB), NOSPLIT, $0-24
	MOVQ b_base+0(FP), AX
	MOVQ b_len+8(FP), CX
	ADDQ AX, CX          // end
	ANDQ $~63, AX
	LEAQ 448(AX), DX
	JMP  test8

next8: // eight lines, of which the last begins before the end
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	PREFETCHT0 192(AX)
	PREFETCHT0 256(AX)
	PREFETCHT0 320(AX)
	PREFETCHT0 384(AX)
	PREFETCHT0 448(AX)
	ADDQ       $512, AX
	ADDQ       $512, DX

test8:
	CMPQ DX, CX
	JCS  next8
	JMP  test

next:
	PREFETCHT0 (AX)
	ADDQ       $64, AX

test:
	CMPQ AX, CX
	JCS  next
	RET
