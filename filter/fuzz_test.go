package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"rpcapd/rpcap"
)

// decode reads instructions as they are on the wire.
func decode(b []byte) rpcap.Program {
	var p rpcap.Program
	for ; len(b) >= 8; b = b[8:] {
		p = append(p, rpcap.Instruction{Op: binary.BigEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.BigEndian.Uint32(b[4:])})
	}
	return p
}

func encode(p rpcap.Program) []byte {
	var b []byte
	for _, in := range p {
		b = binary.BigEndian.AppendUint16(b, in.Op)
		b = append(b, in.Jt, in.Jf)
		b = binary.BigEndian.AppendUint32(b, in.K)
	}
	return b
}

// FuzzValidate: no program makes it panic, and one that passes composes, stays
// valid behind the prefix and never keeps more than the snap length.
func FuzzValidate(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 20 {
		f.Add(encode(spoil(r, randomProgram(r, 30))), uint32(r.IntN(100)))
	}
	f.Add(encode(tcpPort80), uint32(64))
	frame := packet{src: other4, dst: sensor4, proto: 6, sport: 80, dport: 80, payload: make([]byte, 200)}.ethernet()
	f.Fuzz(func(t *testing.T, b []byte, snaplen uint32) {
		p := decode(b)
		if Validate(p) != nil {
			return
		}
		c, err := Compose(linkEthernet, testExclusion(), p, snaplen)
		if err != nil {
			if len(p) < 3000 {
				t.Fatalf("valid program does not compose: %v", err)
			}
			return // for the kernel only, and too long for it
		}
		if err := Validate(fromRaw(c.Kernel)); err != nil || len(c.Kernel) > kernelInstructions {
			t.Fatalf("composed program of %d instructions: %v", len(c.Kernel), err)
		}
		v, err := c.Machine()
		if err != nil {
			return
		}
		if n := v.Run(frame, uint32(len(frame))); snaplen != 0 && uint64(n) > uint64(snaplen) || n > len(frame) {
			t.Fatalf("keeps %d bytes, snap length %d", n, snaplen)
		}
	})
}

// FuzzVM: a valid program ends on any frame, without a panic, and again the same.
func FuzzVM(f *testing.F) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 20 {
		f.Add(encode(randomProgram(r, 40)), randomFrame(r), uint32(100))
	}
	f.Fuzz(func(t *testing.T, b, frame []byte, wireLen uint32) {
		p := decode(b)
		if Validate(p) != nil {
			return
		}
		v, err := newVM(linkEthernet, p, 100)
		if err != nil {
			return
		}
		n := v.Run(frame, wireLen)
		if n < 0 || n > len(frame) || n > 100 {
			t.Fatalf("keeps %d bytes of %d", n, len(frame))
		}
		if again := v.Run(frame, wireLen); again != n {
			t.Fatalf("keeps %d bytes, then %d", n, again)
		}
	})
}
