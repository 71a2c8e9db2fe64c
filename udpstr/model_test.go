package udpstr

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var epoch = time.Unix(1_700_000_000, 0)

// got is a delivered frame, copied.
type got struct {
	Frame
	number uint64
}

// collector is a reassembler and what it delivered.
type collector struct {
	*Reassembler
	frames []got
	sent   int // datagrams handed over

	checked        int // so many frames were checked
	bytes, highest uint64
}

func newCollector(cfg ReassemblerConfig) *collector {
	c := &collector{}
	c.Reassembler = NewReassembler(cfg, func(p *Packet) {
		f := p.Frame
		f.Data = bytes.Clone(f.Data)
		c.frames = append(c.frames, got{f, p.Number})
	})
	return c
}

// feed hands over a datagram in a buffer that is overwritten afterwards.
func (c *collector) feed(b []byte, now time.Time) {
	buf := bytes.Clone(b)
	c.Datagram(buf, now)
	for i := range buf {
		buf[i] = 0xa5
	}
	c.sent++
}

// check compares the counters with each other and with what was delivered.
func (c *collector) check(t testing.TB) Counters {
	t.Helper()
	k := c.Counters()
	if k.Datagrams != k.InOrder+k.Reordered+k.Late+k.Duplicate+k.Malformed {
		t.Fatalf("arrivals do not add up: %+v", k)
	}
	waiting := 0
	if c.jump.waiting {
		waiting = 1
	}
	if k.Datagrams+uint64(waiting) != uint64(c.sent) {
		t.Fatalf("%d arrived: %+v", c.sent, k)
	}
	for ; c.checked < len(c.frames); c.checked++ {
		f := c.frames[c.checked]
		if f.number <= c.highest {
			t.Fatalf("frame %d: number %d after %d", c.checked, f.number, c.highest)
		}
		c.highest = f.number
		c.bytes += uint64(len(f.Data))
	}
	if k.Delivered != uint64(len(c.frames)) || k.DeliveredBytes != c.bytes || k.LastNumber != c.highest {
		t.Fatalf("%d frames of %d bytes were delivered, the last is %d: %+v", len(c.frames), c.bytes, c.highest, k)
	}
	if len(c.frames) > 0 && k.Delivered+k.Missing != c.highest {
		t.Fatalf("delivered and missing frames are not those numbered: %+v", k)
	}
	return k
}

// want checks that exactly the frames were delivered of which no datagram is lost.
func (c *collector) want(t testing.TB, frames []placed, lost func(datagram int) bool) {
	t.Helper()
	i := 0
	for _, f := range frames {
		if touched(f, lost) {
			continue
		}
		if i == len(c.frames) {
			t.Fatalf("frame %d was not delivered, nor any after it", f.npkt)
		}
		if g := c.frames[i]; uint32(g.number) != f.npkt || !sameFrame(g.Frame, f.Frame) {
			t.Fatalf("frame %d (%d bytes) was delivered, want %d (%d bytes)", g.number, len(g.Data), f.npkt, len(f.Data))
		}
		i++
	}
	if i != len(c.frames) {
		t.Fatalf("frame %d was delivered though a part of it was lost", c.frames[i].number)
	}
	if missing := c.Tail(uint32(len(frames))); c.check(t).Missing+missing+uint64(i) != uint64(len(frames)) {
		t.Fatalf("%d of %d frames: tail %d, %+v", i, len(frames), missing, c.Counters())
	}
}

func touched(f placed, lost func(int) bool) bool {
	for i := f.first; i <= f.last; i++ {
		if lost(i) {
			return true
		}
	}
	return false
}

// randomStream returns the datagrams of random frames and where the frames are in them.
func randomStream(t testing.TB, rng *rand.Rand, n int) ([][]byte, []placed) {
	limit := randomLimit(rng)
	datagrams := packAll(t, rng, randomFrames(rng, n), limit)
	return datagrams, readDatagrams(t, datagrams, limit, 0)
}

// Losses, single and in bursts of any length, and duplicates, at the start and the end too.
func TestModelLoss(t *testing.T) {
	seeds(t, 120, func(t *testing.T, rng *rand.Rand) {
		datagrams, frames := randomStream(t, rng, 1+rng.IntN(200))
		lost := make([]bool, len(datagrams))
		rate, burst := rng.IntN(100), 1+rng.IntN(300)
		for i := 0; i < len(lost); i++ {
			if rng.IntN(100) < rate {
				for n := 1 + rng.IntN(burst); n > 0 && i < len(lost); n-- {
					lost[i] = true
					i++
				}
			}
		}
		c := newCollector(ReassemblerConfig{Window: rng.IntN(100) - 1})
		last, duplicates := -1, 0
		for i, b := range datagrams {
			if lost[i] {
				continue
			}
			c.feed(b, epoch)
			last = i
			for rng.IntN(4) == 0 {
				c.feed(datagrams[i], epoch)
				duplicates++
			}
			c.check(t)
		}
		c.Flush()
		c.want(t, frames, func(i int) bool { return lost[i] })
		k := c.check(t)
		if k.Lost+k.InOrder != uint64(last+1) || k.Reordered+k.Late+k.Malformed+k.Inconsistent != 0 || k.Duplicate != uint64(duplicates) {
			t.Fatalf("%d datagrams sent, %d duplicates: %+v", last+1, duplicates, k)
		}
	})
}

// Datagrams that overtake others by less than the window, with losses and duplicates anywhere.
func TestModelReorder(t *testing.T) {
	seeds(t, 120, func(t *testing.T, rng *rand.Rand) {
		datagrams, frames := randomStream(t, rng, 1+rng.IntN(200))
		window := 2 + rng.IntN(100)
		reach := rng.IntN(window)
		type arrival struct{ key, i int }
		var arrivals []arrival
		lost := make([]bool, len(datagrams))
		rate := rng.IntN(50)
		last := -1
		for i := range datagrams {
			// Before the first arrival every gap is ahead, so a burst there may not reach beyond the window.
			if lost[i] = rng.IntN(100) < rate && i%window >= reach; lost[i] {
				continue
			}
			last = i
			key := i*window + rng.IntN(reach*window/2+1)
			arrivals = append(arrivals, arrival{key, i})
			for rng.IntN(10) == 0 {
				arrivals = append(arrivals, arrival{key + rng.IntN(3*window*window), i})
			}
		}
		slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.key, b.key) })
		c := newCollector(ReassemblerConfig{Window: window})
		for _, a := range arrivals {
			c.feed(datagrams[a.i], epoch)
			c.check(t)
		}
		c.Flush()
		k := c.check(t)
		bytes := 0
		for _, b := range datagrams[:last+1] {
			bytes = max(bytes, len(b))
		}
		if bytes*window < maxHeldBytes/2 {
			c.want(t, frames, func(i int) bool { return lost[i] })
			if k.Lost != uint64(count(lost[:last+1])) || k.Late+k.Malformed+k.Inconsistent != 0 {
				t.Fatalf("%d lost: %+v", count(lost[:last+1]), k)
			}
		}
		if k.InOrder+k.Reordered+k.Lost != uint64(last+1) {
			t.Fatalf("%d datagrams were sent: %+v", last+1, k)
		}
	})
}

func count(b []bool) (n int) {
	for _, v := range b {
		if v {
			n++
		}
	}
	return n
}

// Anything at all: what is delivered is still right, and everything is counted once.
func TestModelChaos(t *testing.T) {
	seeds(t, 100, func(t *testing.T, rng *rand.Rand) {
		datagrams, frames := randomStream(t, rng, 1+rng.IntN(200))
		c := newCollector(ReassemblerConfig{Window: rng.IntN(70) - 1, Hold: time.Duration(1+rng.IntN(20)) * time.Millisecond})
		now := epoch
		used := map[int]bool{}
		for i := 0; i < len(datagrams); i += rng.IntN(3) {
			j := i
			if rng.IntN(3) == 0 {
				j = max(0, min(len(datagrams)-1, i+rng.IntN(400)-200))
			}
			c.feed(datagrams[j], now)
			used[j] = true
			c.check(t)
			now = now.Add(time.Duration(rng.IntN(1000)) * time.Microsecond)
			if at, ok := c.Deadline(); ok && rng.IntN(4) == 0 {
				if at.Sub(now) > c.hold {
					t.Fatalf("a datagram is to be held for %v", at.Sub(now))
				}
				c.Expire(at)
				if next, ok := c.Deadline(); ok && !next.After(at) {
					t.Fatal("Expire left what was due")
				}
				now = at
			}
		}
		c.Flush()
		if _, ok := c.Deadline(); ok {
			t.Fatal("Flush left something waiting")
		}
		for _, g := range c.frames {
			if f := frames[g.number-1]; !sameFrame(f.Frame, g.Frame) || touched(f, func(i int) bool { return !used[i] }) {
				t.Fatalf("frame %d is not what was sent", g.number)
			}
		}
		c.check(t)
	})
}

// Bytes altered on the way never make more than the touched frames wrong, and never break the counting.
func TestModelGarbage(t *testing.T) {
	seeds(t, 80, func(t *testing.T, rng *rand.Rand) {
		datagrams, _ := randomStream(t, rng, 1+rng.IntN(100))
		c := newCollector(ReassemblerConfig{MaxCaplen: rng.Uint32N(MaxCaplen)})
		for i, b := range datagrams {
			b = bytes.Clone(b)
			switch rng.IntN(8) {
			case 0:
				b[rng.IntN(min(len(b), 60))] ^= 1 << rng.IntN(8)
			case 1:
				b = b[:rng.IntN(len(b)+1)]
			case 2:
				binary.BigEndian.PutUint16(b[2:], uint16(rng.IntN(len(b)+10)))
			}
			c.feed(b, epoch.Add(time.Duration(i)*time.Millisecond))
			c.check(t)
			if cap(c.records.open) > MaxCaplen || c.held.memory > maxHeldBytes {
				t.Fatalf("%d bytes in the open frame, %d in the window", cap(c.records.open), c.held.memory)
			}
		}
		c.Flush()
		c.check(t)
	})
}
