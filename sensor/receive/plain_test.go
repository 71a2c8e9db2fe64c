package receive

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

func TestPlainStream(t *testing.T) {
	f := testFrames(1, 60)[0]
	for _, tc := range []struct {
		name    string
		numbers []uint32
		want    string // delivered
		counted status.Received
	}{
		{"in order", []uint32{1, 2, 3}, "[1 2 3]", status.Received{InOrder: 3}},
		{"start lost", []uint32{4, 5}, "[4 5]", status.Received{InOrder: 2, Missing: 3, Lost: 3}},
		{"gap", []uint32{1, 4}, "[1 4]", status.Received{InOrder: 2, Missing: 2, Lost: 2}},
		{"late but in time", []uint32{1, 3, 2, 4}, "[1 3 2 4]", status.Received{InOrder: 3, Reordered: 1}},
		{"twice", []uint32{1, 2, 2, 1}, "[1 2]", status.Received{InOrder: 2, Duplicate: 2}},
		{"too late", []uint32{1, 100, 101, 2}, "[1 100 101]", status.Received{InOrder: 3, Missing: 98, Lost: 98, Late: 1}},
		{"too late, on TCP", []uint32{1, 100, 2}, "[1 100]", status.Received{InOrder: 2, Missing: 98, Lost: 98, Late: 1}},
		{"a stray", []uint32{1, 1000, 2, 3, 4}, "[1 2 3 4]", status.Received{InOrder: 4, Malformed: 1}},
		{"two strays", []uint32{1, 1000, 2, 5000, 3}, "[1 2 3]", status.Received{InOrder: 3, Malformed: 2}},
		{"a stray twice", []uint32{1, 1000, 1000, 2}, "[1 2]", status.Received{InOrder: 2, Malformed: 1, Duplicate: 1}},
		{"a stray behind half the numbers", []uint32{1, 1 << 31, 2}, "[1 2]", status.Received{InOrder: 2, Malformed: 1}},
		{"a great loss", []uint32{1, 1000, 1001, 1002}, "[1 1000 1001 1002]", status.Received{InOrder: 4, Missing: 998, Lost: 998}},
		{"great losses", []uint32{1, 1000, 2000, 2001}, "[1 1000 2000 2001]", status.Received{InOrder: 4, Missing: 1997, Lost: 1997}},
		{"a great loss, the next two exchanged", []uint32{1, 1001, 1000, 1002}, "[1 1001 1000 1002]", status.Received{InOrder: 3, Reordered: 1, Missing: 998, Lost: 998}},
		{"a great loss at the end", []uint32{1, 1000}, "[1 1000]", status.Received{InOrder: 2, Missing: 998, Lost: 998}},
		{"zero", []uint32{0, 1}, "[1]", status.Received{InOrder: 1, Malformed: 1}},
	} {
		var got []uint64
		s := &plainStream{maxCaplen: 65535, hold: time.Second, deliver: func(p *udpstr.Packet) { got = append(got, p.Number) }}
		if strings.HasSuffix(tc.name, "TCP") {
			s.hold = 0
		}
		for _, n := range tc.numbers {
			s.message(plainMessage(f, n), time.Time{})
		}
		s.settle()
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
		s.message(plainMessage(testFrames(1, 60)[0], n), time.Time{})
	}
	if last != math.MaxUint32+3 || s.counters.Missing != 0 || s.counters.InOrder != 4 {
		t.Errorf("last %d, %+v", last, s.counters)
	}
}

func TestPlainMalformed(t *testing.T) {
	good := plainMessage(testFrames(1, 60)[0], 1)
	s := &plainStream{maxCaplen: 60, deliver: func(*udpstr.Packet) { t.Error("delivered") }}
	for n := range len(good) {
		s.message(good[:n], time.Time{})
	}
	s.message(plainMessage(testFrames(1, 61)[0], 1), time.Time{}) // above the snap length
	wrong := append([]byte(nil), good...)
	wrong[0] = 1
	s.message(wrong, time.Time{})
	if n := uint64(len(good) + 2); s.counters.Malformed != n {
		t.Errorf("%d of %d counted as malformed", s.counters.Malformed, n)
	}
}

// TestPlainStrayInAQuietStream: a stray that nothing contradicts in time is delivered, and taken back as the place of the
// stream when that goes on where it was.
func TestPlainStrayInAQuietStream(t *testing.T) {
	for _, tc := range []struct {
		name    string
		then    []uint32
		counted status.Received
	}{
		{"a stray", []uint32{3, 4, 5}, status.Received{InOrder: 5, Malformed: 1}},
		{"a stray that comes again", []uint32{5000, 3, 4, 5}, status.Received{InOrder: 5, Duplicate: 1, Malformed: 1}},
		{"a great loss", []uint32{5001, 5002}, status.Received{InOrder: 5, Missing: 4997, Lost: 4997}},
		{"a great loss, and what was late", []uint32{5001, 3, 4, 5}, status.Received{InOrder: 4, Late: 3, Missing: 4997, Lost: 4997}},
	} {
		s := &plainStream{maxCaplen: 65535, hold: time.Second, deliver: func(*udpstr.Packet) {}}
		f, now := testFrames(1, 60)[0], time.Now()
		for _, n := range []uint32{1, 2, 5000} {
			s.message(plainMessage(f, n), now)
		}
		now = now.Add(time.Second)
		s.expire(now)
		for _, n := range tc.then {
			s.message(plainMessage(f, n), now)
		}
		c := s.snapshot()
		if last := tc.then[len(tc.then)-1]; s.before.newest != 0 || tc.counted.Late == 0 && s.newest != uint64(last) {
			t.Errorf("%s: at %d, in doubt about %+v", tc.name, s.newest, s.before)
		}
		if last := tc.then[len(tc.then)-1]; s.before.newest != 0 || tc.counted.Late == 0 && s.newest != uint64(last) {
			t.Errorf("%s: at %d, in doubt about %+v", tc.name, s.newest, s.before)
		}
		c.Datagrams, c.Bytes, c.Frames, c.FrameBytes = 0, 0, 0, 0
		if c != tc.counted {
			t.Errorf("%s: %+v, want %+v", tc.name, c, tc.counted)
		}
	}
}

// TestPlainJumpWaits: a frame after a great loss is held no longer than others, if nothing contradicts it.
func TestPlainJumpWaits(t *testing.T) {
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	f := testFrames(1, 60)[0]
	receive(p, "10.0.0.2:5000", now, plainMessage(f, 1), plainMessage(f, 2), plainMessage(f, 5000))
	if got.count() != 2 || s.received().Datagrams != 2 {
		t.Fatalf("%d frames, %+v", got.count(), s.received())
	}
	p.sock.(*fakeSocket).last = nil
	if due := p.batch(0, now.Add(time.Millisecond)); due.Sub(now) != testLimits.Hold {
		t.Errorf("due after %v", due.Sub(now))
	}
	p.batch(0, now.Add(testLimits.Hold))
	if got.count() != 3 || s.received().Missing != 4997 || len(p.timed) != 0 {
		t.Errorf("%d frames, %+v", got.count(), s.received())
	}
}

// TestPlainStrayIsDisowned: a stray that silence has confirmed, and that the stream then contradicts, is no frame of the agent's
// that has arrived. It has gone out, and is counted for that.
func TestPlainStrayIsDisowned(t *testing.T) {
	out, disowned := 0, 0
	s := &plainStream{maxCaplen: 1514, hold: time.Second, deliver: func(*udpstr.Packet) { out++ }, disown: func() { disowned++ }}
	now := time.Unix(1_700_000_000, 0)
	frame := testFrames(1, 60)[0]
	for n := range uint32(10) {
		s.message(plainMessage(frame, n+1), now)
	}
	s.message(plainMessage(frame, 5000), now)
	s.expire(now.Add(time.Second))
	if out != 11 {
		t.Fatalf("%d frames went out", out)
	}
	s.message(plainMessage(frame, 11), now.Add(2*time.Second))
	c := s.snapshot()
	if c.Frames != 11 || c.FrameBytes != 11*60 || c.Missing != 0 || c.Malformed != 1 || c.InOrder != 11 || out != 12 || disowned != 1 {
		t.Errorf("%+v, %d went out, %d disowned", c, out, disowned)
	}
	if c.Datagrams != c.InOrder+c.Reordered+c.Late+c.Duplicate+c.Malformed {
		t.Errorf("arrivals do not add up: %+v", c)
	}
}
