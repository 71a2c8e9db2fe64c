package receive

import (
	"fmt"
	"testing"
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

func framePacket(data string) *udpstr.Packet {
	return &udpstr.Packet{Frame: udpstr.Frame{Data: []byte(data), Len: uint32(len(data))}}
}

// TestDedupCounts: of equal frames from several streams the largest number of one stream is delivered, in any order.
func TestDedupCounts(t *testing.T) {
	now := time.Now()
	for arrivals, want := range map[string]int{
		"a":        1,
		"aa":       2, // sent twice, seen by one
		"ab":       1,
		"ba":       1,
		"aabb":     2, // sent twice, seen by both
		"abab":     2,
		"abba":     2,
		"abbb":     3, // a has lost two
		"aaab":     3,
		"abcabc":   2,
		"abcdefab": 2,
		"aacbbc":   2,
		"ccabbaab": 3,
	} {
		d := newDedup(50 * time.Millisecond)
		delivered := 0
		for i, stream := range arrivals {
			if !d.again(uint32(stream), 1, framePacket("frame"), now.Add(time.Duration(i)*time.Millisecond)) {
				delivered++
			}
		}
		if delivered != want {
			t.Errorf("%s: %d delivered, want %d", arrivals, delivered, want)
		}
	}
}

// TestDedupTellsApart: other bytes, another length, another link type, and too late.
func TestDedupTellsApart(t *testing.T) {
	d := newDedup(50 * time.Millisecond)
	now := time.Now()
	short := framePacket("frame")
	short.Len = 1500
	d.again(1, 1, framePacket("frame"), now)
	for name, again := range map[string]bool{
		"bytes":     d.again(2, 1, framePacket("frbme"), now),
		"length":    d.again(2, 1, short, now),
		"link type": d.again(2, 101, framePacket("frame"), now),
		"late":      d.again(2, 1, framePacket("frame"), now.Add(51*time.Millisecond)),
	} {
		if again {
			t.Errorf("%s: taken for the same frame", name)
		}
	}
}

// TestDedupIsBounded: beyond the table's size frames are forgotten, and counted, not kept.
func TestDedupIsBounded(t *testing.T) {
	d := newDedup(time.Millisecond)
	now := time.Now()
	room := 0
	for i := range d.shards {
		room += len(d.shards[i].places) * dedupWays
	}
	const more = 50_000
	for i := range room + more {
		if d.again(1, 1, framePacket(fmt.Sprint("frame ", i)), now) {
			t.Fatalf("frame %d was dropped", i)
		}
	}
	if n := d.forgotten(); n < more || n > more+uint64(room)/4 {
		t.Errorf("%d forgotten of %d in %d places", n, room+more, room)
	}
	if most := newDedup(time.Hour); len(most.shards[0].places)*dedupWays*dedupShards > dedupMost {
		t.Error("a long window makes a table of any size")
	}
	if testing.AllocsPerRun(100, func() { d.again(1, 1, framePacketKept, now) }) != 0 {
		t.Error("allocates for a frame")
	}
}

var framePacketKept = framePacket("kept")

func BenchmarkDedup(b *testing.B) {
	d := newDedup(50 * time.Millisecond)
	p := &udpstr.Packet{Frame: udpstr.Frame{Data: make([]byte, 512), Len: 512}}
	now := time.Now()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		p.Data[0], p.Data[1], p.Data[2] = byte(i), byte(i>>8), byte(i>>16)
		i++
		d.again(uint32(i&1+1), 1, p, now.Add(time.Duration(i)*time.Microsecond))
	}
}

// A clock that is set back must not fill the table with frames of the future.
func TestDedupClockSetBack(t *testing.T) {
	d := newDedup(100 * time.Millisecond)
	one, two := d.stream(), d.stream()
	p := &udpstr.Packet{Frame: udpstr.Frame{Data: []byte("frame"), Len: 5}}
	now := time.Unix(1700000000, 0)
	if d.again(one, 1, p, now) {
		t.Fatal("the first is dropped")
	}
	now = now.Add(-time.Hour)
	if d.again(two, 1, p, now) {
		t.Error("a frame from before the clock was set counts")
	}
	if !d.again(one, 1, p, now.Add(time.Millisecond)) {
		t.Error("a duplicate after the clock was set passes")
	}
}

// TestDedupInABatch: of frames that arrive together those that another stream has brought are left out, and the others keep their
// order.
func TestDedupInABatch(t *testing.T) {
	d := newDedup(time.Second)
	now := time.Unix(1_700_000_000, 0)
	streams := make([]*stream, 2)
	sinks := make([]*collector, 2)
	for i := range streams {
		sinks[i] = new(collector)
		s := newStream(sink.Source{LinkType: 1}, testLimits)
		s.dedup, s.number, s.now, s.nowMicro = d, d.stream(), now, now.UnixMicro()
		s.feeds = []*sink.Attachment{{Feed: sinks[i]}}
		streams[i] = s
	}
	batch := func(data string) []udpstr.Packet {
		list := make([]udpstr.Packet, len(data))
		for i := range data {
			list[i] = udpstr.Packet{Number: uint64(i + 1), Frame: udpstr.Frame{Data: []byte(data[i : i+1]), Len: 1}}
		}
		return list
	}
	streams[0].deliver(batch("bd"))
	streams[1].deliver(batch("abcde"))
	streams[1].deliver(batch("b"))  // the second of its own
	streams[0].deliver(batch("ac")) // all of them are known
	if got := fmt.Sprint(sinks[0].numbers, sinks[1].numbers); got != "[1 2] [1 3 5 1]" {
		t.Errorf("delivered %s", got)
	}
	if streams[0].repeated != 2 || streams[1].repeated != 2 || streams[1].newest != 1 {
		t.Errorf("repeated %d, %d", streams[0].repeated, streams[1].repeated)
	}
}
