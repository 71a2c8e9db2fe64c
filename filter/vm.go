package filter

import "encoding/binary"

// VM runs programs in user space as the kernel would. It is immutable: any number
// of goroutines may use one.
type VM struct {
	exclude  []operation // run first, nil if none; sees the bytes only
	code     []operation
	snaplen  uint32
	ethernet bool // frames may have a VLAN tag
}

// VLAN is the tag that the kernel took out of a frame and gave beside it.
type VLAN struct {
	Present bool
	TCI     uint16 // priority, drop eligibility and VLAN number
	TPID    uint16 // 0x8100 or 0x88a8
}

// Run returns how many bytes of the frame are kept, at most the snap length and
// the length of the frame; 0 refuses it. The frame is as the kernel filters it:
// without the tag that is put back later; see RunBytes for frames that have it.
// wireLen is its length before cutting.
func (v *VM) Run(frame []byte, wireLen uint32) (keep int) {
	return v.RunTagged(frame, wireLen, VLAN{})
}

// RunTagged is Run for a frame whose outer tag came beside it.
func (v *VM) RunTagged(frame []byte, wireLen uint32, tag VLAN) (keep int) {
	if v.exclude != nil && run(v.exclude, frame, uint32(len(frame)), tag, nil) == 0 {
		return 0
	}
	n := min(run(v.code, frame, wireLen, tag, nil), v.snaplen)
	return int(min(uint64(n), uint64(len(frame))))
}

// run interprets operations made by translate. All jumps lead forward and the
// last operation returns, so that it ends and the index stays in range. If there is
// a head, it stands in for the first addresses bytes of the frame, and is three bytes
// longer at least.
func run(code []operation, frame []byte, wireLen uint32, tag VLAN, head []byte) uint32 {
	var (
		a, x uint32
		m    [memoryWords]uint32
	)
	for pc := 0; pc < len(code); pc++ {
		in := &code[pc]
		k := in.k
		if in.useX {
			k = x
		}
		switch in.do {
		case doReturn:
			return k
		case doReturnA:
			return a

		case doLoadWordIndirect:
			k = in.k + x
			fallthrough
		case doLoadWord:
			if uint64(k)+4 > uint64(len(frame)) {
				return 0
			}
			a = binary.BigEndian.Uint32(at(frame, head, k))
		case doLoadHalfIndirect:
			k = in.k + x
			fallthrough
		case doLoadHalf:
			if uint64(k)+2 > uint64(len(frame)) {
				return 0
			}
			a = uint32(binary.BigEndian.Uint16(at(frame, head, k)))
		case doLoadByteIndirect:
			k = in.k + x
			fallthrough
		case doLoadByte:
			if uint64(k) >= uint64(len(frame)) {
				return 0
			}
			a = uint32(at(frame, head, k)[0])
		case doLoadHeaderLength:
			if uint64(k) >= uint64(len(frame)) {
				return 0
			}
			x = uint32(at(frame, head, k)[0]&15) * 4

		case doLoad: // immediate, and X into A
			a = k
		case doLoadX: // immediate
			x = in.k
		case doCopyToX:
			x = a
		case doLoadLength:
			a = wireLen
		case doLoadXLength:
			x = wireLen
		case doLoadMemory:
			a = m[in.k%memoryWords]
		case doLoadXMemory:
			x = m[in.k%memoryWords]
		case doStore:
			m[in.k%memoryWords] = a
		case doStoreX:
			m[in.k%memoryWords] = x
		case doLoadTag:
			a = uint32(tag.TCI)
		case doLoadTagPresent:
			a = 0
			if tag.Present {
				a = 1
			}
		case doLoadTagProtocol:
			a = uint32(tag.TPID)

		case doAdd:
			a += k
		case doSub:
			a -= k
		case doMul:
			a *= k
		case doDiv:
			if k == 0 {
				return 0
			}
			a /= k
		case doMod:
			if k == 0 {
				return 0
			}
			a %= k
		case doOr:
			a |= k
		case doAnd:
			a &= k
		case doXor:
			a ^= k
		case doShiftLeft:
			a <<= k & 31
		case doShiftRight:
			a >>= k & 31
		case doNegate:
			a = -a

		case doJump:
			pc += int(in.k)
		case doJumpEqual:
			pc += in.skip(a == k)
		case doJumpGreater:
			pc += in.skip(a > k)
		case doJumpGreaterEqual:
			pc += in.skip(a >= k)
		case doJumpSet:
			pc += in.skip(a&k != 0)
		}
	}
	return 0
}

// at is the frame from k on, which is within it.
func at(frame, head []byte, k uint32) []byte {
	if head != nil && k < addresses {
		return head[k:]
	}
	return frame[k:]
}
