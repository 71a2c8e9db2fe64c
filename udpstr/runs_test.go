package udpstr

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// runsOf lays datagrams behind one another as receive offload does: of equal size, but a shorter last one.
func runsOf(rng *rand.Rand, datagrams [][]byte) (runs [][]byte, sizes []int) {
	for len(datagrams) > 0 {
		size, n := len(datagrams[0]), 1
		for most := 1 + rng.IntN(64); n < most && n < len(datagrams) && len(datagrams[n-1]) == size && len(datagrams[n]) <= size; n++ {
		}
		runs, sizes = append(runs, bytes.Join(datagrams[:n], nil)), append(sizes, size)
		datagrams = datagrams[n:]
	}
	return runs, sizes
}

// TestModelRuns: datagrams that come in runs give the same frames and counters as one by one, whatever of them is lost, late,
// twice there or damaged, and a run is not used any more when it was taken.
func TestModelRuns(t *testing.T) {
	seeds(t, 300, func(t *testing.T, rng *rand.Rand) {
		datagrams, _ := randomStream(t, rng, 1+rng.IntN(400))
		if rng.IntN(2) == 0 {
			datagrams = disturbed(rng, datagrams)
		}
		one, together := newCollector(ReassemblerConfig{}), newCollector(ReassemblerConfig{})
		now := epoch
		runs, sizes := runsOf(rng, datagrams)
		for i, run := range runs {
			n := 0
			for b := run; len(b) > 0; n++ {
				k := min(sizes[i], len(b))
				one.feed(b[:k], now)
				b = b[k:]
			}
			together.Datagrams(run, sizes[i], now)
			together.sent += n
			for j := range run {
				run[j] = 0xa5
			}
			now = now.Add(time.Duration(rng.IntN(10)) * time.Millisecond)
		}
		one.Flush()
		together.Flush()
		if a, b := one.check(t), together.check(t); a != b {
			t.Fatalf("one by one %+v\ntogether   %+v", a, b)
		}
		for i := range one.frames {
			if a, b := one.frames[i], together.frames[i]; a.number != b.number || !sameFrame(a.Frame, b.Frame) {
				t.Fatalf("frame %d of %d bytes, together it is %d of %d bytes", a.number, len(a.Data), b.number, len(b.Data))
			}
		}
	})
}

// disturbed loses, repeats, exchanges and damages datagrams.
func disturbed(rng *rand.Rand, in [][]byte) (out [][]byte) {
	for _, b := range in {
		switch rng.IntN(25) {
		case 0:
			continue
		case 1:
			out = append(out, b)
		case 2:
			b = bytes.Clone(b)
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		out = append(out, b)
		if k := len(out); k > 1 && rng.IntN(25) == 0 {
			out[k-1], out[k-2] = out[k-2], out[k-1]
		}
	}
	return out
}

// TestRunSizes: sizes that no offload gives do no harm.
func TestRunSizes(t *testing.T) {
	b := smallStream(t, 3)
	for _, size := range []int{-1, 0, 1, len(b[0]) - 1, 1 << 30} {
		c := newCollector(ReassemblerConfig{})
		run := bytes.Join(b, nil)
		c.Datagrams(run, size, epoch)
		c.sent = int(c.Counters().Datagrams)
		c.check(t)
	}
	c := newCollector(ReassemblerConfig{})
	c.Datagrams(nil, 100, epoch)
	c.check(t)
}

// TestRunDoesNotAllocate: frames that go over the end of a datagram need no memory of their own within a run.
func TestRunDoesNotAllocate(t *testing.T) {
	d := newDriver(t, 1472, 65_000)
	frames := make([]Frame, 40)
	for i := range frames {
		frames[i] = Frame{Data: make([]byte, 1514), Len: 1514}
	}
	d.block(frames)
	d.flush()
	run := bytes.Join(d.datagrams, nil)
	buf := make([]byte, len(run))
	n := 0
	r := NewBatchReassembler(ReassemblerConfig{}, func(batch []Packet) { n += len(batch) })
	if a := testing.AllocsPerRun(20, func() {
		copy(buf, run)
		r.next, r.high, r.records = 0, 0, recordReader{maxCaplen: MaxCaplen, synced: true}
		r.Datagrams(buf, 1472, epoch)
	}); a != 0 || n != 21*len(frames) {
		t.Errorf("%v allocations, %d frames", a, n)
	}
}
