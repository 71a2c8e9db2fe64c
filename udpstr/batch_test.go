package udpstr

import (
	"bytes"
	"fmt"
	"testing"
)

// TestBatches: the frames of a datagram are delivered together, those that begin in an earlier one first, never more than there
// is room for, and none of them is overwritten by the frame that begins behind them.
func TestBatches(t *testing.T) {
	d := newDriver(t, 9000, 70_000)
	frames := make([]Frame, 3*batchFrames)
	for i := range frames {
		size := 60
		if i%100 == 99 {
			size = 5000 // some go over the end of a datagram
		}
		frames[i] = Frame{Data: bytes.Repeat([]byte{byte(i)}, size), Len: uint32(size)}
	}
	d.block(frames)
	d.flush()
	var sizes []int
	next, delivered := 0, uint64(0)
	r := NewBatchReassembler(ReassemblerConfig{}, func(batch []Packet) {
		sizes = append(sizes, len(batch))
		for _, p := range batch {
			if p.Number != uint64(next+1) || !bytes.Equal(p.Data, frames[next].Data) {
				t.Fatalf("frame %d of %d bytes, want %d", p.Number, len(p.Data), next+1)
			}
			next++
		}
		delivered += uint64(len(batch))
	})
	most := 0
	for _, b := range d.datagrams {
		sizes = sizes[:0]
		r.Datagram(b, epoch)
		for _, n := range sizes {
			if n == 0 || n > batchFrames {
				t.Errorf("%d frames together", n)
			}
			most = max(most, n)
		}
		if len(sizes) > 1+len(b)/(batchFrames*PacketHeaderLen) {
			t.Errorf("a datagram of %d bytes in %d deliveries", len(b), len(sizes))
		}
		if c := r.Counters(); c.Delivered != delivered || c.LastNumber != delivered {
			t.Errorf("%d delivered: %+v", delivered, c)
		}
	}
	if next != len(frames) || most != batchFrames {
		t.Errorf("%d of %d frames, at most %d together", next, len(frames), most)
	}
}

// TestBatchBeforeNonsense: what is whole before bytes that contradict the stream is delivered.
func TestBatchBeforeNonsense(t *testing.T) {
	d := newDriver(t, 1000, 2000)
	d.block([]Frame{{Data: []byte("one")}, {Data: []byte("two")}})
	d.flush()
	var got []string
	r := NewBatchReassembler(ReassemblerConfig{}, func(batch []Packet) {
		for _, p := range batch {
			got = append(got, string(p.Data))
		}
	})
	r.Datagram(append(d.datagrams[0], 1, 2, 3), epoch)
	if c := r.Counters(); fmt.Sprint(got) != "[one two]" || c.Delivered != 2 || c.Inconsistent != 1 {
		t.Errorf("%q: %+v", got, c)
	}
}
