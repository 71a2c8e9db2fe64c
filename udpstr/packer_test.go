package udpstr

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestPackerRandom(t *testing.T) {
	seeds(t, 100, func(t *testing.T, rng *rand.Rand) {
		limit := randomLimit(rng)
		frames := randomFrames(rng, 1+rng.IntN(300))
		datagrams := packAll(t, rng, frames, limit)
		wantFrames(t, readDatagrams(t, datagrams, limit, limit-sizeSpread(limit)), frames, 1)
	})
}

// Every number of bytes left in a datagram, against every small caplen.
func TestPackerBorders(t *testing.T) {
	for _, limit := range []int{64, 100, 1472} {
		for left := range 60 {
			for caplen := range 50 {
				if limit-HeaderLen-PacketHeaderLen-left < 0 {
					continue
				}
				d := newDriver(t, limit, limit)
				frames := []Frame{
					{Data: make([]byte, limit-HeaderLen-PacketHeaderLen-left), Len: 1},
					{Data: bytes.Repeat([]byte{7}, caplen), Len: 2},
					{Data: []byte{9}, Len: 3},
				}
				d.block(frames)
				d.flush()
				wantFrames(t, readDatagrams(t, d.datagrams, limit, limit), frames, 1)
				fits := left >= PacketHeaderLen+caplen || left >= PacketHeaderLen+1
				if got := len(d.datagrams[0]) > limit-left; got != fits {
					t.Fatalf("limit %d, %d left, caplen %d: second frame begins in the first datagram: %v", limit, left, caplen, got)
				}
			}
		}
	}
}

func TestPackerRejectsLimits(t *testing.T) {
	for _, c := range []struct{ limit, buf int }{{0, 100000}, {63, 100000}, {65001, 100000}, {-1, 100000}, {1472, 1471}, {64, 0}} {
		if _, err := NewPacker(c.limit, make([]byte, c.buf)); err == nil {
			t.Errorf("NewPacker(%d, %d bytes): no error", c.limit, c.buf)
		}
	}
	p, err := NewPacker(64, make([]byte, 64))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetLimit(65); err == nil {
		t.Error("SetLimit above the buffer: no error")
	}
}

func TestPackerEmpty(t *testing.T) {
	d := newDriver(t, 1472, 65536)
	if n, full := d.p.Append(nil); n != 0 || full || d.p.Pending() {
		t.Errorf("Append(nil) = %d, %v", n, full)
	}
	if _, ok := d.p.Take(); ok {
		t.Error("an empty packer gave a run")
	}
	d.block([]Frame{{}})
	if !d.p.Pending() || d.p.Packed() != 1 {
		t.Error("a frame without data is not pending")
	}
	d.flush()
	if len(d.datagrams) != 1 || len(d.datagrams[0]) != HeaderLen+PacketHeaderLen {
		t.Fatalf("datagrams %x", d.datagrams)
	}
}

// A full run refuses more until it is taken, and a frame longer than a run goes on in the next.
func TestPackerFullRun(t *testing.T) {
	d := newDriver(t, 1472, 4*1472)
	frames := []Frame{{Data: make([]byte, 100)}, {Data: make([]byte, 3*4*1472)}, {Data: make([]byte, 10)}}
	n, full := d.p.Append(frames)
	if n != 1 || !full || d.p.Packed() != 1 {
		t.Fatalf("Append = %d, %v, packed %d", n, full, d.p.Packed())
	}
	if n, full := d.p.Append(frames[1:]); n != 0 || !full {
		t.Fatalf("Append to a full run = %d, %v", n, full)
	}
	if n, full := d.p.Append(nil); n != 0 || !full {
		t.Fatalf("Append(nil) to a full run = %d, %v", n, full)
	}
	r, ok := d.p.Take()
	if !ok || r.Datagrams != 4 || r.Size != 1472 || len(r.Bytes) != 4*1472 || r.FirstSeq != 0 {
		t.Fatalf("run %d × %d, %d bytes, from %d", r.Datagrams, r.Size, len(r.Bytes), r.FirstSeq)
	}
	if _, ok := d.p.Take(); ok {
		t.Fatal("the rest of a frame that was not presented again gave a run")
	}
	d.keep(r)
	d.block(frames[1:])
	d.flush()
	wantFrames(t, readDatagrams(t, d.datagrams, 1472, 1472), frames, 1)
}

func TestPackerSingleDatagrams(t *testing.T) {
	rng := newRand(1)
	d := newDriver(t, 1472, 65536)
	d.p.setMaxDatagrams(1)
	frames := randomFrames(rng, 1000)
	d.block(frames)
	d.flush()
	if d.runs != len(d.datagrams) {
		t.Fatalf("%d runs, %d datagrams", d.runs, len(d.datagrams))
	}
	wantFrames(t, readDatagrams(t, d.datagrams, 1472, 1472), frames, 1)
}

func TestPackerLimitFromNextRun(t *testing.T) {
	d := newDriver(t, 1472, 65536)
	d.block([]Frame{{Data: make([]byte, 1000)}})
	if err := d.p.SetLimit(500); err != nil {
		t.Fatal(err)
	}
	d.block([]Frame{{Data: make([]byte, 400)}})
	d.flush()
	d.block([]Frame{{Data: make([]byte, 1000)}})
	d.flush()
	sizes := []int{}
	for _, b := range d.datagrams {
		sizes = append(sizes, len(b))
	}
	if got := fmt.Sprint(sizes); got != "[1448 500 500 44]" {
		t.Errorf("datagrams %s", got)
	}
}

func TestPackerCutsOversizedFrames(t *testing.T) {
	d := newDriver(t, 9000, 65536)
	big := make([]byte, MaxCaplen+1000)
	d.block([]Frame{{Data: big, Len: 300000}, {Data: []byte{1}}})
	d.flush()
	wantFrames(t, readDatagrams(t, d.datagrams, 9000, 9000-48), []Frame{{Data: big[:MaxCaplen], Len: 300000}, {Data: []byte{1}}}, 1)
}

func TestPackerNumbersWrap(t *testing.T) {
	d := newDriver(t, 100, 65536)
	d.p.seq = 1<<32 - 5
	d.p.packed = 1<<32 - 3
	frames := randomFrames(newRand(3), 100)
	d.block(frames)
	d.flush()
	wantFrames(t, readDatagrams(t, d.datagrams, 100, 97), frames, 1<<32-2)
	if d.p.Packed() != 1<<32-3+100 {
		t.Errorf("packed %d", d.p.Packed())
	}
}

func TestPackerDoesNotAllocate(t *testing.T) {
	p, err := NewPacker(1472, make([]byte, 65536))
	if err != nil {
		t.Fatal(err)
	}
	frames := randomFrames(newRand(4), 500)
	if n := testing.AllocsPerRun(20, func() {
		for rest := frames; len(rest) > 0; {
			n, full := p.Append(rest)
			rest = rest[n:]
			if full {
				p.Take()
			}
		}
		p.Take()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A run taken back is cut anew with the new limit; what follows fits behind it, wherever the run ended.
func TestRepack(t *testing.T) {
	seeds(t, 80, func(t *testing.T, rng *rand.Rand) {
		frames := randomFrames(rng, 1+rng.IntN(400))
		limit := 1000 + rng.IntN(8000)
		d := newDriver(t, limit, 65536)
		smallest, full := limit, limit-sizeSpread(limit)
		rest := frames
		for {
			n, isFull := d.p.Append(rest)
			rest = rest[n:]
			if !isFull && len(rest) == 0 && rng.IntN(2) == 0 && !d.p.Pending() {
				break
			}
			r, ok := d.p.Take()
			if !ok {
				break
			}
			if rng.IntN(3) > 0 || smallest < 150 {
				d.keep(r)
				continue
			}
			// A part was sent, then the path turned out to be narrower.
			sent := rng.IntN(r.Datagrams)
			for i := range sent {
				d.datagrams = append(d.datagrams, bytes.Clone(r.Datagram(i)))
			}
			smallest -= rng.IntN(smallest - 100)
			full = min(full, smallest-sizeSpread(smallest))
			if err := d.p.SetLimit(smallest); err != nil {
				t.Fatal(err)
			}
			before := len(d.datagrams)
			if err := d.p.Repack(r.After(sent)); err != nil {
				t.Fatal(err)
			}
			if rng.IntN(2) == 0 { // nothing more comes for now
				d.flush()
			}
			for _, b := range d.datagrams[before:] {
				if len(b) > smallest {
					t.Fatalf("%d bytes after the limit became %d", len(b), smallest)
				}
			}
		}
		d.flush()
		wantFrames(t, readDatagrams(t, d.datagrams, limit, full), frames, 1)
	})
}

func TestRepackRefuses(t *testing.T) {
	d := newDriver(t, 1472, 65536)
	d.p.Append([]Frame{{Data: make([]byte, 100)}})
	r, _ := d.p.Take()
	d.p.Append([]Frame{{Data: make([]byte, 100)}})
	if err := d.p.Repack(r); err == nil {
		t.Error("a run was taken back while another is open")
	}
	d.p.Take()
	if err := d.p.Repack(r); err == nil {
		t.Error("a run was taken back after another was taken")
	}
}

// The size of a run may change until its first datagram is closed, but never below what is in that.
func TestSizeOfAnOpenDatagram(t *testing.T) {
	for used := 1300; used <= 1472; used++ {
		d := newDriver(t, 1472, 65536)
		frames := []Frame{{Data: make([]byte, used-HeaderLen-PacketHeaderLen), Len: 1}}
		for range 300 {
			frames = append(frames, Frame{Data: make([]byte, 60), Len: 2})
		}
		d.block(frames[:1])
		d.block(frames[1:])
		d.flush()
		wantFrames(t, readDatagrams(t, d.datagrams, 1472, 1472-sizeSpread(1472)), frames, 1)
	}
}

// A frame much longer than a run, which is taken back again and again, while only the beginning of it was packed.
func TestRepackNested(t *testing.T) {
	frames := []Frame{{Data: make([]byte, 200000), Len: 1}, {Data: make([]byte, 20), Len: 2}}
	fillPattern(frames[0].Data, 1)
	d := newDriver(t, 9000, 20000)
	n, full := d.p.Append(frames)
	if n != 0 || !full {
		t.Fatalf("Append = %d, %v", n, full)
	}
	for limit := 4000; limit > 100; limit = limit * 2 / 3 {
		r, ok := d.p.Take()
		if !ok { // less is left than a datagram
			break
		}
		d.datagrams = append(d.datagrams, bytes.Clone(r.Datagram(0)))
		if err := d.p.SetLimit(limit); err != nil {
			t.Fatal(err)
		}
		if err := d.p.Repack(r.After(1)); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.datagrams) < 3 {
		t.Fatal("the run was not taken back twice")
	}
	d.flush() // without the frame only full datagrams are to be had
	d.block(frames)
	d.flush()
	wantFrames(t, readDatagrams(t, d.datagrams, 9000, 0), frames, 1)
	for _, b := range d.datagrams[:len(d.datagrams)-1] {
		if len(b) < 100 {
			t.Fatalf("a datagram of %d bytes in the middle of a frame", len(b))
		}
	}
}

// setMaxDatagrams sets how many datagrams a run may have, 1 to MaxRunDatagrams, from the next run on. With 1 each datagram
// is a run of its own and has the limit as its size.
func (p *Packer) setMaxDatagrams(n int) { p.maxDatagrams = max(1, min(n, MaxRunDatagrams)) }
