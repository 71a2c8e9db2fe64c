package udpstr

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// What the tests of both halves share: random traffic, a driver for the packer, and a reading of datagrams that is written
// from the format alone.

var rounds = flag.Int("rounds", 1, "multiplies the number of seeds of each random test")

// seeds runs a test for each of n seeds; the name of the one that fails tells its seed.
func seeds(t *testing.T, n int, test func(t *testing.T, rng *rand.Rand)) {
	t.Helper()
	for seed := range n * *rounds {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { test(t, newRand(uint64(seed))) }) {
			return
		}
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// randomFrames returns n frames of one of several mixes of lengths.
func randomFrames(rng *rand.Rand, n int) []Frame {
	mix, fixed := rng.IntN(7), rng.IntN(1600)
	frames := make([]Frame, n)
	for i := range frames {
		var size int
		switch mix {
		case 0:
			size = fixed
		case 1:
			size = rng.IntN(30) // most of the stream is headers
		case 2:
			size = 14 + rng.IntN(1501)
		case 3:
			size = []int{50, 580, 1500}[rng.IntN(3)]
		case 4:
			size = rng.IntN(9001)
		case 5:
			size = rng.IntN(2) * rng.IntN(100)
		case 6:
			if size = rng.IntN(200); rng.IntN(20) == 0 {
				size = rng.IntN(MaxCaplen + 1)
			}
		}
		data := make([]byte, size)
		fillPattern(data, rng.Uint64())
		frames[i] = Frame{Data: data, Len: uint32(size + rng.IntN(3)*100), Sec: rng.Uint32(), Usec: rng.Uint32N(1e6)}
	}
	return frames
}

func fillPattern(b []byte, x uint64) {
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte(x >> 56)
	}
}

// driver feeds a packer as a forwarder does and keeps copies of the datagrams.
type driver struct {
	t         testing.TB
	p         *Packer
	datagrams [][]byte
	runs      int
}

func (d *driver) take() bool {
	r, ok := d.p.Take()
	if ok {
		d.keep(r)
	}
	return ok
}

func (d *driver) keep(r Run) {
	d.t.Helper()
	if r.Datagrams < 1 || r.Datagrams > MaxRunDatagrams || len(r.Bytes) > MaxRunBytes ||
		len(r.Bytes) > r.Datagrams*r.Size || len(r.Bytes) <= (r.Datagrams-1)*r.Size {
		d.t.Fatalf("run of %d datagrams of %d has %d bytes", r.Datagrams, r.Size, len(r.Bytes))
	}
	d.runs++
	for i := range r.Datagrams {
		b := r.Datagram(i)
		if seq := binary.BigEndian.Uint32(b[4:]); seq != r.FirstSeq+uint32(i) {
			d.t.Fatalf("datagram %d of the run from %d has seqno %d", i, r.FirstSeq, seq)
		}
		d.datagrams = append(d.datagrams, bytes.Clone(b))
	}
}

// block packs the frames of one ring block and takes the runs that get full.
func (d *driver) block(frames []Frame) {
	d.t.Helper()
	for idle := 0; ; {
		n, full := d.p.Append(frames)
		if n > len(frames) || !full && n < len(frames) {
			d.t.Fatalf("Append of %d frames: %d, %v", len(frames), n, full)
		}
		frames = frames[n:]
		if !full {
			return
		}
		if !d.p.Pending() || !d.take() {
			d.t.Fatal("a full run cannot be taken")
		}
		if idle++; n > 0 {
			idle = 0
		} else if idle > MaxCaplen {
			d.t.Fatal("packing does not come on")
		}
	}
}

// flush takes what is left.
func (d *driver) flush() {
	for d.take() {
	}
	if d.p.Pending() {
		d.t.Fatal("something is pending after the last run was taken")
	}
}

// placed is a frame and the datagrams that its record has bytes in.
type placed struct {
	Frame
	npkt        uint32
	first, last int
}

// readDatagrams reads a whole stream in which nothing is lost and checks every rule of the format on the way. full is the
// size that a datagram must at least have for a frame to continue out of it.
func readDatagrams(t testing.TB, datagrams [][]byte, limit, full int) []placed {
	t.Helper()
	var out []placed
	var data []byte // of the open record
	lacking := 0
	for i, b := range datagrams {
		if len(b) <= HeaderLen || len(b) > limit {
			t.Fatalf("datagram %d has %d bytes, limit %d", i, len(b), limit)
		}
		if b[0] != 0 || b[1] != 110 {
			t.Fatalf("datagram %d begins with % x", i, b[:2])
		}
		first := int(binary.BigEndian.Uint16(b[2:]))
		pos := HeaderLen
		if lacking > 0 {
			n := min(lacking, len(b)-pos)
			data = append(data, b[pos:pos+n]...)
			pos += n
			lacking -= n
			out[len(out)-1].Data, out[len(out)-1].last = data, i
		}
		want := noHeader
		if pos < len(b) {
			want = pos
		}
		if first != want {
			t.Fatalf("datagram %d: firsthdridx %d, want %d", i, first, want)
		}
		for pos < len(b) {
			if len(b)-pos < PacketHeaderLen {
				t.Fatalf("datagram %d: a packet header is split at %d of %d", i, pos, len(b))
			}
			h := b[pos:]
			caplen := int(binary.BigEndian.Uint32(h[8:]))
			pos += PacketHeaderLen
			if caplen > 0 && pos == len(b) {
				t.Fatalf("datagram %d ends with a packet header", i)
			}
			n := min(caplen, len(b)-pos)
			data = bytes.Clone(b[pos : pos+n])
			lacking = caplen - n
			pos += n
			out = append(out, placed{
				Frame: Frame{Data: data, Sec: binary.BigEndian.Uint32(h), Usec: binary.BigEndian.Uint32(h[4:]), Len: binary.BigEndian.Uint32(h[12:])},
				npkt:  binary.BigEndian.Uint32(h[16:]), first: i, last: i,
			})
		}
		if lacking > 0 && len(b) < full {
			t.Fatalf("datagram %d has %d bytes, but a frame goes on behind it", i, len(b))
		}
	}
	if lacking > 0 {
		t.Fatalf("the stream ends %d bytes too early", lacking)
	}
	return out
}

// wantFrames checks that the records are the frames, numbered from first on.
func wantFrames(t testing.TB, got []placed, want []Frame, first uint32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range got {
		if !sameFrame(got[i].Frame, want[i]) || got[i].npkt != first+uint32(i) {
			t.Fatalf("frame %d: npkt %d, caplen %d, len %d; want npkt %d, caplen %d, len %d", i, got[i].npkt,
				len(got[i].Data), got[i].Len, first+uint32(i), len(want[i].Data), want[i].Len)
		}
	}
}

func sameFrame(a, b Frame) bool {
	return bytes.Equal(a.Data, b.Data) && a.Len == b.Len && a.Sec == b.Sec && a.Usec == b.Usec
}

func newDriver(t testing.TB, limit, buf int) *driver {
	t.Helper()
	p, err := NewPacker(limit, make([]byte, buf))
	if err != nil {
		t.Fatal(err)
	}
	return &driver{t: t, p: p}
}

// packAll packs frames in blocks of random length, with flushes in between, and returns the datagrams.
func packAll(t testing.TB, rng *rand.Rand, frames []Frame, limit int) [][]byte {
	t.Helper()
	d := newDriver(t, limit, limit+rng.IntN(70000))
	d.p.setMaxDatagrams([]int{1, 2, 64}[rng.IntN(3)])
	for len(frames) > 0 {
		n := 1 + rng.IntN(min(len(frames), 1+rng.IntN(200)))
		d.block(frames[:n])
		frames = frames[n:]
		if rng.IntN(8) == 0 {
			d.flush()
		}
	}
	d.flush()
	return d.datagrams
}

func randomLimit(rng *rand.Rand) int {
	switch rng.IntN(4) {
	case 0:
		return MinLimit + rng.IntN(200)
	case 1:
		return []int{MinLimit, 512, 1452, 1472, 8972, MaxLimit}[rng.IntN(6)]
	case 2:
		return 1000 + rng.IntN(1000)
	}
	return MinLimit + rng.IntN(MaxLimit-MinLimit+1)
}
