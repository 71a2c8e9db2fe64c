#include "textflag.h"

// func Bytes(b []byte)
TEXT ·Bytes(SB), NOSPLIT, $0-24
	MOVQ b_base+0(FP), AX
	MOVQ b_len+8(FP), CX
	ADDQ AX, CX          // end
	ANDQ $~63, AX
	JMP  test

next:
	PREFETCHT0 (AX)
	ADDQ       $64, AX

test:
	CMPQ AX, CX
	JCS  next
	RET
