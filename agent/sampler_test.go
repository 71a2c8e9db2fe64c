package agent

import (
	"math/rand/v2"
	"testing"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// numbered returns n frames whose wire length is their place in the stream.
func numbered(first, n int) []udpstr.Frame {
	frames := make([]udpstr.Frame, n)
	for i := range frames {
		frames[i].Len = uint32(first + i)
	}
	return frames
}

func TestSamplerKeepsTheFirstOfEveryN(t *testing.T) {
	for _, n := range []uint32{2, 3, 10, 1000} {
		s := newSampler(rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: n})
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		var got []uint32
		total := 0
		for total < 5000 { // blocks of any size: the count goes on across them
			size := rng.IntN(50)
			for _, f := range s.keep(numbered(total, size)) {
				got = append(got, f.Len)
			}
			total += size
		}
		want := (total + int(n) - 1) / int(n)
		if len(got) != want {
			t.Fatalf("one in %d of %d: kept %d, want %d", n, total, len(got), want)
		}
		for i, v := range got {
			if v != uint32(i)*n {
				t.Fatalf("one in %d: frame %d kept as number %d, want %d", n, v, i, uint32(i)*n)
			}
		}
	}
}

func TestSamplerKeepsTheFirstAfterEachInterval(t *testing.T) {
	s := newSampler(rpcap.SamplingRequest{Method: rpcap.SamplingFirstAfterMillis, Value: 10})
	at := []uint32{0, 1000, 9999, 10000, 10001, 19999, 25000, 34999, 35000} // microseconds
	want := []uint32{0, 10000, 25000, 35000}
	var got []uint32
	for _, usec := range at {
		for _, f := range s.keep([]udpstr.Frame{{Sec: 100, Usec: usec}}) {
			got = append(got, f.Usec)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("kept %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("kept %v, want %v", got, want)
		}
	}
	// A clock that was set back an hour must not silence the stream for an hour.
	if len(s.keep([]udpstr.Frame{{Sec: 10}})) != 1 {
		t.Error("nothing kept after the clock stepped back")
	}
}

func TestSamplerOff(t *testing.T) {
	for _, r := range []rpcap.SamplingRequest{
		{},
		{Method: rpcap.SamplingOneInN, Value: 0},
		{Method: rpcap.SamplingOneInN, Value: 1},
		{Method: rpcap.SamplingFirstAfterMillis, Value: 0},
	} {
		s := newSampler(r)
		if got := len(s.keep(numbered(0, 100))); got != 100 {
			t.Errorf("%+v: kept %d of 100", r, got)
		}
	}
}
