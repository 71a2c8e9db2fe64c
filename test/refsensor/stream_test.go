package refsensor

import (
	"encoding/binary"
	"testing"
)

// datagrams cuts numbered frames into datagrams of at most limit bytes, one after the
// other as an agent may: full ones, and no header in two.
func datagrams(frames, size, limit int) (out [][]byte) {
	var cur []byte
	flush := func() {
		if len(cur) > datagramHeader {
			binary.BigEndian.PutUint32(cur[4:], uint32(len(out)))
			out = append(out, cur)
		}
		cur = append(make([]byte, 0, limit), 0, 110, 0xff, 0xff, 0, 0, 0, 0)
	}
	flush()
	for i := range frames {
		if limit-len(cur) <= frameHeader {
			flush()
		}
		if binary.BigEndian.Uint16(cur[2:]) == none {
			binary.BigEndian.PutUint16(cur[2:], uint16(len(cur)))
		}
		h := make([]byte, frameHeader)
		binary.BigEndian.PutUint32(h[8:], uint32(size))
		binary.BigEndian.PutUint32(h[12:], uint32(size))
		binary.BigEndian.PutUint32(h[16:], uint32(i+1))
		cur = append(cur, h...)
		for f := Frame([6]byte{}, [6]byte{}, uint64(i), size); len(f) > 0; {
			if len(cur) == limit {
				flush()
			}
			n := min(len(f), limit-len(cur))
			cur = append(cur, f[:n]...)
			f = f[n:]
		}
	}
	flush()
	return out
}

func TestStream(t *testing.T) {
	const frames, limit = 50, 700
	for _, size := range []int{MinFrame, 64, 333, 1514, 5000} {
		all := datagrams(frames, size, limit)
		for drop := -1; drop < len(all); drop++ {
			r := &Result{}
			c := tally{want: Expectation{Size: size}, seen: make([]bool, frames), result: r}
			var s stream
			for i, d := range all {
				if i != drop {
					s.datagram(d, c.frame)
				}
			}
			if drop < 0 && r.Intact != frames || r.Intact != r.Frames || r.FirstFault != nil || s.garbage != 0 {
				t.Errorf("size %d, without datagram %d: %+v, %d garbage", size, drop, r, s.garbage)
			}
			if drop >= 0 && (r.Intact == frames || drop < len(all)-1 && s.lost != 1) {
				t.Errorf("size %d, without datagram %d: %d frames, %d datagrams lost", size, drop, r.Intact, s.lost)
			}
		}
	}
}

func TestStreamContradictions(t *testing.T) {
	all := datagrams(10, 333, 700)
	for at := range all {
		for _, first := range []uint16{0, 7, 9, 600, 699, 0xfffe} {
			var s stream
			for i, d := range all {
				d = append([]byte{}, d...)
				if i == at {
					binary.BigEndian.PutUint16(d[2:], first)
				}
				s.datagram(d, func(captured) {})
			}
			if s.garbage == 0 {
				t.Errorf("datagram %d: a first frame at %d is believed", at, first)
			}
		}
	}
}

func TestCheckSeesEveryByte(t *testing.T) {
	const size = 200
	f := Frame([6]byte{1}, [6]byte{2}, 7, size)
	if n, err := Check(f, size); n != 7 || err != nil {
		t.Fatal(n, err)
	}
	for i := range f {
		f[i] ^= 0x10
		n, err := Check(f, size)
		lengths := i == 16 || i == 17 || i == 24 || i == 25 || i == 38 || i == 39
		if err == nil && n == 7 && i >= 12 && !lengths {
			t.Errorf("byte %d can be changed", i)
		}
		f[i] ^= 0x10
	}
}
