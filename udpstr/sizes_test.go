package udpstr

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// shape packs n ring blocks of frames of random lengths and returns the mean number of datagrams of a run and their number.
func shape(t testing.TB, limit, maxDatagrams, n int, length func(*rand.Rand) int) (run float64, datagrams int) {
	t.Helper()
	rng := newRand(7)
	p, err := NewPacker(limit, make([]byte, 65536))
	if err != nil {
		t.Fatal(err)
	}
	p.setMaxDatagrams(maxDatagrams)
	data := make([]byte, MaxCaplen)
	var frames []Frame
	runs := 0
	for range n {
		frames = frames[:0]
		for bytes := 0; bytes < ringBlock; {
			n := length(rng)
			frames = append(frames, Frame{Data: data[:n]})
			bytes += n + ringFrameHead
		}
		for rest := frames; len(rest) > 0; {
			n, full := p.Append(rest)
			rest = rest[n:]
			if full {
				r, _ := p.Take()
				runs++
				datagrams += r.Datagrams
			}
		}
	}
	run = float64(datagrams) / float64(runs)
	if r, ok := p.Take(); ok { // cut off by the end of the traffic
		datagrams += r.Datagrams
	}
	return run, datagrams
}

// Under load a run is long whatever the frames are, and costs next to nothing in datagrams.
func TestRunsAreLong(t *testing.T) {
	type traffic struct {
		name   string
		length func(*rand.Rand) int
		run    float64 // least mean run
		extra  float64 // most datagrams above what the limit as the only size takes
	}
	traffics := []traffic{
		{"imix", imixLength, 40, .01},
		{"bulk and acknowledgements", func(r *rand.Rand) int { return []int{66, 1514, 1514}[r.IntN(3)] }, 40, .01},
		{"evenly spread", func(r *rand.Rand) int { return 60 + r.IntN(1455) }, 40, .01},
		{"beyond the MTU", func(r *rand.Rand) int { return []int{1514, 9014, 65000}[r.IntN(3)] }, 40, .01},
		// The header of every fifth small frame would be split, so no size serves all cuts of a run.
		{"only small, mixed", func(r *rand.Rand) int { return 60 + r.IntN(69) }, 20, .015},
	}
	for _, n := range []int{60, 64, 66, 90, 128, 300, 594, 1000, 1280, 1514, 9000} {
		// A multiple of the record, or of a half or third of it, may lie up to 3 % below the limit.
		traffics = append(traffics, traffic{fmt.Sprint(n), func(*rand.Rand) int { return n }, 30, .015})
	}
	for n := 14; n < 1514; n += 61 {
		traffics = append(traffics, traffic{fmt.Sprint(n), func(*rand.Rand) int { return n }, 30, .03})
	}
	for _, c := range traffics {
		t.Run(c.name, func(t *testing.T) {
			run, datagrams := shape(t, DefaultLimit, MaxRunDatagrams, 8, c.length)
			_, plain := shape(t, DefaultLimit, 1, 8, c.length)
			extra := float64(datagrams)/float64(plain) - 1
			t.Logf("mean run %.1f, %+.2f %% datagrams", run, 100*extra)
			if run < c.run || extra > c.extra {
				t.Errorf("want at least %.0f, at most %+.1f %%", c.run, 100*c.extra)
			}
		})
	}
}

// What a look ahead promises is what packing then does.
func TestLookaheadIsExact(t *testing.T) {
	seeds(t, 100, func(t *testing.T, rng *rand.Rand) {
		d := newDriver(t, 1000+rng.IntN(1000), 65536)
		frames := randomFrames(rng, 2000)
		for i := range frames {
			if len(frames[i].Data) == 0 {
				frames[i].Data = []byte{1}
			}
		}
		for i := 0; len(frames) > 0; i++ {
			d.p.openRun()
			d.p.chooseSize(frames)
			promised, _ := d.p.ahead.run(d.p.ahead.pos, d.p.size-HeaderLen, d.p.room)
			n, full := d.p.Append(frames)
			frames = frames[n:]
			r, _ := d.p.Take()
			if r.Datagrams != promised {
				t.Fatalf("run %d: %d datagrams of %d, promised %d", i, r.Datagrams, r.Size, promised)
			}
			if !full {
				break
			}
		}
	})
}
