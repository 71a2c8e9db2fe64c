package sensor

import (
	"fmt"
	"math"
	"testing"

	"rpcapd/udpstr"
)

func TestPlainStream(t *testing.T) {
	f := testFrames(1, 60)[0]
	for _, tc := range []struct {
		name    string
		numbers []uint32
		want    string // delivered
		counted Received
	}{
		{"in order", []uint32{1, 2, 3}, "[1 2 3]", Received{InOrder: 3}},
		{"start lost", []uint32{4, 5}, "[4 5]", Received{InOrder: 2, Missing: 3, Lost: 3}},
		{"gap", []uint32{1, 4}, "[1 4]", Received{InOrder: 2, Missing: 2, Lost: 2}},
		{"late but in time", []uint32{1, 3, 2, 4}, "[1 3 2 4]", Received{InOrder: 3, Reordered: 1}},
		{"twice", []uint32{1, 2, 2, 1}, "[1 2]", Received{InOrder: 2, Duplicate: 2}},
		{"too late", []uint32{1, 100, 2}, "[1 100]", Received{InOrder: 2, Missing: 98, Lost: 98, Late: 1}},
		{"zero", []uint32{0, 1}, "[1]", Received{InOrder: 1, Malformed: 1}},
	} {
		var got []uint64
		s := &plainStream{maxCaplen: 65535, deliver: func(p *udpstr.Packet) { got = append(got, p.Number) }}
		for _, n := range tc.numbers {
			s.message(plainMessage(f, n))
		}
		c := s.snapshot()
		if fmt.Sprint(got) != tc.want {
			t.Errorf("%s: delivered %v", tc.name, got)
		}
		if c.Datagrams != c.InOrder+c.Reordered+c.Late+c.Duplicate+c.Malformed || c.Frames != uint64(len(got)) {
			t.Errorf("%s: does not add up: %+v", tc.name, c)
		}
		c.Datagrams, c.Bytes, c.Frames, c.FrameBytes = 0, 0, 0, 0
		if c != tc.counted {
			t.Errorf("%s: %+v, want %+v", tc.name, c, tc.counted)
		}
	}
}

// TestPlainWraps: numbers go on beyond 2^32.
func TestPlainWraps(t *testing.T) {
	var last uint64
	s := &plainStream{maxCaplen: 65535, newest: math.MaxUint32 - 1, deliver: func(p *udpstr.Packet) { last = p.Number }}
	for _, n := range []uint32{math.MaxUint32, 0, 1, 2} {
		s.message(plainMessage(testFrames(1, 60)[0], n))
	}
	if last != math.MaxUint32+3 || s.counters.Missing != 0 || s.counters.InOrder != 4 {
		t.Errorf("last %d, %+v", last, s.counters)
	}
}

func TestPlainMalformed(t *testing.T) {
	good := plainMessage(testFrames(1, 60)[0], 1)
	s := &plainStream{maxCaplen: 60, deliver: func(*udpstr.Packet) { t.Error("delivered") }}
	for n := range len(good) {
		s.message(good[:n])
	}
	s.message(plainMessage(testFrames(1, 61)[0], 1)) // above the snap length
	wrong := append([]byte(nil), good...)
	wrong[0] = 1
	s.message(wrong)
	if n := uint64(len(good) + 2); s.counters.Malformed != n {
		t.Errorf("%d of %d counted as malformed", s.counters.Malformed, n)
	}
}
