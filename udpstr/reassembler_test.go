package udpstr

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// smallStream returns n datagrams of one 50-byte frame each; frame i+1 is in datagram i.
func smallStream(t testing.TB, n int) [][]byte {
	t.Helper()
	d := newDriver(t, 100, 200)
	for i := range n {
		d.block([]Frame{{Data: make([]byte, 50), Len: uint32(i)}})
		d.flush()
	}
	return d.datagrams
}

// numbers returns which frames were delivered.
func (c *collector) numbers() string {
	var n []uint64
	for _, f := range c.frames {
		n = append(n, f.number)
	}
	return fmt.Sprint(n)
}

func TestHold(t *testing.T) {
	b := smallStream(t, 6)
	c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
	c.feed(b[0], epoch)
	if _, ok := c.Deadline(); ok {
		t.Error("a deadline with nothing held")
	}
	c.feed(b[2], epoch.Add(1*time.Millisecond))
	c.feed(b[4], epoch.Add(5*time.Millisecond))
	if at, ok := c.Deadline(); !ok || !at.Equal(epoch.Add(11*time.Millisecond)) {
		t.Errorf("deadline %v, %v", at.Sub(epoch), ok)
	}
	c.Expire(epoch.Add(11*time.Millisecond - 1))
	if got := c.numbers(); got != "[1]" {
		t.Errorf("before the deadline: %s", got)
	}
	c.Expire(epoch.Add(11 * time.Millisecond))
	if got := c.numbers(); got != "[1 3]" {
		t.Errorf("at the deadline: %s", got)
	}
	if at, ok := c.Deadline(); !ok || !at.Equal(epoch.Add(15*time.Millisecond)) {
		t.Errorf("second deadline %v, %v", at.Sub(epoch), ok)
	}
	c.feed(b[1], epoch.Add(12*time.Millisecond)) // given up
	c.feed(b[1], epoch.Add(12*time.Millisecond))
	c.feed(b[3], epoch.Add(13*time.Millisecond)) // in time
	if got := c.numbers(); got != "[1 3 4 5]" {
		t.Errorf("after the second gap was filled: %s", got)
	}
	if _, ok := c.Deadline(); ok {
		t.Error("a deadline after everything was delivered")
	}
	// An arrival expires what is due, without a call of Expire.
	c.feed(b[5], epoch.Add(14*time.Millisecond))
	k := c.check(t)
	if want := (Counters{Datagrams: 7, Bytes: 7 * 78, InOrder: 4, Reordered: 1, Late: 1, Duplicate: 1, Lost: 1,
		Delivered: 5, DeliveredBytes: 250, Missing: 1, LastNumber: 6}); k != want {
		t.Errorf("%+v", k)
	}
}

func TestHoldEndsWithAnArrival(t *testing.T) {
	b := smallStream(t, 6)
	c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
	c.feed(b[1], epoch)
	c.feed(b[3], epoch.Add(10*time.Millisecond))
	if got := c.numbers(); got != "[2]" {
		t.Errorf("delivered %s", got)
	}
	c.feed(b[0], epoch.Add(10*time.Millisecond))
	if k := c.check(t); k.Late != 1 || k.Lost != 1 {
		t.Errorf("%+v", k)
	}
}

// TestNextIsNeverLate: datagrams that come in the order that is waited for are used, however long the wait was; Expire has
// not been called, so nothing is given up yet.
func TestNextIsNeverLate(t *testing.T) {
	b := smallStream(t, 6)
	c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
	for _, i := range []int{0, 3, 1, 2, 5} {
		c.feed(b[i], epoch.Add(time.Duration(i)*time.Second))
	}
	if got := c.numbers(); got != "[1 2 3 4]" {
		t.Errorf("delivered %s", got)
	}
	c.Expire(epoch.Add(time.Minute))
	if k := c.check(t); k.Late != 0 || k.Lost != 1 || k.Reordered != 2 || k.InOrder != 3 {
		t.Errorf("%+v", k)
	}
}

func TestWindowByCount(t *testing.T) {
	b := smallStream(t, 20)
	c := newCollector(ReassemblerConfig{Window: 4})
	for i := 1; i <= 4; i++ {
		c.feed(b[i], epoch)
	}
	if got := c.numbers(); got != "[]" {
		t.Errorf("with 4 held: %s", got)
	}
	c.feed(b[5], epoch)
	if got := c.numbers(); got != "[2 3 4 5 6]" {
		t.Errorf("with a fifth: %s", got)
	}
	c.feed(b[0], epoch)
	// Gaps before 7 and 10: the one pushes the window over the other only as far as needed.
	for _, i := range []int{7, 8, 10, 11} {
		c.feed(b[i], epoch)
	}
	if got := c.numbers(); got != "[2 3 4 5 6 8 9]" {
		t.Errorf("with the window at its second gap: %s", got)
	}
	c.feed(b[9], epoch)
	c.Flush()
	if got := c.numbers(); got != "[2 3 4 5 6 8 9 10 11 12]" {
		t.Errorf("at last: %s", got)
	}
	if k := c.check(t); k.Late != 1 || k.Lost != 2 || k.Reordered != 1 || k.Missing != 2 {
		t.Errorf("%+v", k)
	}
}

// A stream may be joined at any seqno; what lies before is lost.
func TestJoin(t *testing.T) {
	for _, first := range []uint32{0, 1, 5, 63, 64, 65, 1000, 1<<31 - 1, 1 << 31, 1<<32 - 3, 1<<32 - 1} {
		for _, window := range []int{-1, 0} {
			d := newDriver(t, 100, 65536)
			d.p.seq = first
			d.p.packed = uint64(first) * 10
			frames := randomFrames(newRand(uint64(first)), 50)
			d.block(frames)
			d.flush()
			c := newCollector(ReassemblerConfig{Window: window})
			for _, b := range d.datagrams {
				c.feed(b, epoch)
			}
			c.Flush()
			k := c.check(t)
			if len(c.frames) != len(frames) || k.Lost != uint64(first) || k.InOrder != uint64(len(d.datagrams)) {
				t.Errorf("from %d, window %d: %d frames, %+v", first, window, len(c.frames), k)
			}
		}
	}
}

// seqno and npkt wrap, in order, across a gap and with a swap.
func TestWrap(t *testing.T) {
	d := newDriver(t, 100, 200)
	d.p.seq = 1<<32 - 50
	d.p.packed = 1<<32 - 50
	for range 100 {
		d.block([]Frame{{Data: make([]byte, 40)}})
		d.flush()
	}
	for lost := range 100 {
		c := newCollector(ReassemblerConfig{Window: 8})
		c.Reassembler.next, c.Reassembler.high, c.started = 1<<32-50, 1<<32-50, true
		for i := range d.datagrams {
			switch j := i ^ 1; {
			case j != lost:
				c.feed(d.datagrams[j], epoch)
			}
		}
		c.Flush()
		k := c.check(t)
		want := uint64(1)
		if lost == 99 { // nothing tells of it
			want = 0
		}
		if k.Lost != want || k.Delivered != 99 || k.Late+k.Duplicate+k.Malformed != 0 {
			t.Fatalf("datagram %d lost: %+v", lost, k)
		}
		if last := uint64(1<<32 + 50); lost != 99 && k.LastNumber != last {
			t.Fatalf("last number %d, want %d", k.LastNumber, last)
		}
	}
}

// One datagram from far ahead does not derail the stream.
func TestStray(t *testing.T) {
	b := smallStream(t, 30)
	for _, seq := range []uint32{71, 1000, 1 << 30, 1<<31 - 1} {
		c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
		stray := append([]byte(nil), b[7]...)
		binary.BigEndian.PutUint32(stray[4:], seq)
		now := epoch
		for i := range b {
			if i == 0 || i == 5 {
				c.feed(stray, now)
				c.feed(stray, now)
			}
			c.feed(b[i], now)
			now = now.Add(3 * time.Millisecond)
		}
		c.Flush()
		k := c.check(t)
		if k.Delivered != 30 || k.Lost != 0 || k.Malformed != 2 || k.Duplicate != 2 {
			t.Errorf("seqno %d: %+v", seq, k)
		}
	}
}

// After an outage longer than the window the stream goes on at once, whatever the order of the first datagrams.
func TestOutage(t *testing.T) {
	b := smallStream(t, 1000)
	for _, order := range [][]int{{500, 501, 502}, {501, 500, 502}, {502, 500, 501}, {500, 560, 501, 502}, {500, 700, 701}} {
		c := newCollector(ReassemblerConfig{})
		for i := range 10 {
			c.feed(b[i], epoch)
		}
		for _, i := range order {
			c.feed(b[i], epoch)
		}
		if c.jump.waiting {
			t.Errorf("%v: still waiting", order)
		}
		c.Flush()
		want := len(order)
		if order[0] == 502 { // 501 joins 500 and 502, which stood by each other
			want = 3
		}
		if k := c.check(t); k.Delivered != uint64(10+want) || k.Malformed+k.Late != 0 {
			t.Errorf("%v: %s, %+v", order, c.numbers(), k)
		}
	}
	// A single datagram and silence: the end of the stream confirms it.
	c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
	c.feed(b[0], epoch)
	c.feed(b[500], epoch)
	if at, ok := c.Deadline(); ok {
		t.Errorf("deadline %v", at)
	}
	c.Expire(epoch.Add(time.Hour))
	if k := c.check(t); k.Delivered != 1 || k.Lost != 0 {
		t.Errorf("%+v", k)
	}
	c.Flush()
	if k := c.check(t); k.Delivered != 2 || k.Lost != 499 || k.Missing != 499 {
		t.Errorf("%+v", k)
	}
}

// However long a slow stream is silent, a stray does not make what follows late.
func TestStrayInSilence(t *testing.T) {
	b := smallStream(t, 12)
	for _, copies := range []int{1, 2} {
		c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
		now := epoch
		for i := range b {
			c.feed(b[i], now)
			if i == 0 || i == 5 {
				stray := append([]byte(nil), b[i+1]...) // as if its seqno were altered
				binary.BigEndian.PutUint32(stray[4:], 1<<20)
				for range copies {
					c.feed(stray, now)
				}
			}
			now = now.Add(time.Minute)
			c.Known(uint32(i+2), now)
			c.Expire(now)
		}
		if at, ok := c.Deadline(); ok || !c.quiet {
			t.Errorf("%d copies: deadline %v, quiet %v", copies, at, c.quiet)
		}
		c.Flush()
		if k := c.check(t); k.Delivered != 12 || k.Lost+k.Late != 0 || k.Malformed != 2 || k.Duplicate != uint64(2*(copies-1)) {
			t.Errorf("%d copies: %+v", copies, k)
		}
	}
}

// What the sender says it has captured confirms a single datagram after a great loss.
func TestJumpIsKnown(t *testing.T) {
	b := smallStream(t, 502)
	c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
	c.feed(b[0], epoch)
	c.feed(b[500], epoch)
	for _, tc := range []struct {
		captured  uint32
		after     time.Duration
		delivered uint64
	}{{501, 9 * time.Millisecond, 1}, {500, time.Second, 1}, {501, time.Second, 2}} {
		c.Known(tc.captured, epoch.Add(tc.after))
		if k := c.check(t); k.Delivered != tc.delivered {
			t.Errorf("%d captured after %v: %+v", tc.captured, tc.after, k)
		}
	}
	c.feed(b[501], epoch.Add(time.Minute))
	if k := c.check(t); k.Delivered != 3 || k.Lost != 499 || k.Missing != 499 || k.Late != 0 || !c.quiet {
		t.Errorf("%+v", k)
	}
}

func TestMalformed(t *testing.T) {
	good := smallStream(t, 2)
	bad := map[string][]byte{}
	for n := range HeaderLen + PacketHeaderLen {
		bad[fmt.Sprintf("cut to %d", n)] = good[1][:n]
	}
	set := func(name string, at int, v ...byte) {
		b := append([]byte(nil), good[1]...)
		copy(b[at:], v)
		bad[name] = b
	}
	set("version", 0, 1)
	set("type", 1, 7)
	for _, first := range []int{0, 7, len(good[1]) - PacketHeaderLen + 1, len(good[1]), 0xfffe} {
		set(fmt.Sprintf("firsthdridx %d", first), 2, byte(first>>8), byte(first))
	}
	for name, b := range bad {
		c := newCollector(ReassemblerConfig{})
		c.feed(good[0], epoch)
		c.feed(b, epoch)
		if k := c.check(t); k.Malformed != 1 || k.Delivered != 1 {
			t.Errorf("%s: %+v", name, k)
		}
		c.feed(good[1], epoch) // the stream goes on as if nothing had been
		if k := c.check(t); k.Delivered != 2 || k.Lost != 0 || k.Inconsistent != 0 {
			t.Errorf("%s, then a good one: %+v", name, k)
		}
	}
}

// A datagram with a good header whose records contradict themselves or what came before is a loss of what they touch.
func TestInconsistent(t *testing.T) {
	// Frame 1 is whole in datagram 0 and frame 2 goes from 0 to 2; frames 3 and 4 are whole in 2, frame 5 in 3.
	d := newDriver(t, 100, 65536)
	d.p.setMaxDatagrams(1)
	for _, n := range []int{10, 165, 3, 4} {
		d.block([]Frame{{Data: make([]byte, n)}})
	}
	d.flush()
	d.block([]Frame{{Data: make([]byte, 5)}})
	d.flush()
	if p := readDatagrams(t, d.datagrams, 100, 100); len(p) != 5 || p[1].first != 0 || p[1].last != 2 || p[2].first != 2 || p[4].first != 3 {
		t.Fatalf("the test's datagrams are not as described: %+v", p)
	}
	first := int(binary.BigEndian.Uint16(d.datagrams[2][2:]))
	for _, c := range []struct {
		name     string
		datagram int
		at       int
		value    []byte
		want     string
	}{
		{"a header is told of where data should be", 1, 2, []byte{0, 20}, "[1 3 4 5]"},
		{"no header where one should be", 2, 2, []byte{0xff, 0xff}, "[1 5]"},
		{"the first header too early", 2, 2, []byte{0, byte(first - 1)}, "[1 5]"},
		{"the first header is the second", 2, 2, []byte{0, byte(first + PacketHeaderLen + 3)}, "[1 4 5]"},
		{"caplen above the most", 2, first + 8, []byte{0xff}, "[1 2 5]"},
		{"caplen a little too large", 2, first + 11, []byte{3 + 12}, "[1 2 3 5]"},
		{"npkt goes back", 2, first + 16, []byte{0, 0, 0, 2}, "[1 2 5]"},
		{"npkt 0 at first", 0, HeaderLen + 16, []byte{0, 0, 0, 0}, "[3 4 5]"},
	} {
		r := newCollector(ReassemblerConfig{MaxCaplen: 1000})
		for i, b := range d.datagrams {
			b = append([]byte(nil), b...)
			if i == c.datagram {
				copy(b[c.at:], c.value)
			}
			r.feed(b, epoch)
		}
		r.Flush()
		if k := r.check(t); r.numbers() != c.want || k.Inconsistent == 0 {
			t.Errorf("%s: %s, want %s; %+v", c.name, r.numbers(), c.want, k)
		}
	}
}

// Memory follows what came, not what a header promises.
func TestReassemblerMemory(t *testing.T) {
	c := newCollector(ReassemblerConfig{Window: 4096})
	// One byte a datagram of a frame that claims the largest length.
	b := make([]byte, HeaderLen+PacketHeaderLen+1)
	putHeader(b, HeaderLen, 0)
	putPacketHeader(b[HeaderLen:], &Frame{}, MaxCaplen, 1)
	c.feed(b, epoch)
	for seq := uint32(1); seq < 1000; seq++ {
		putHeader(b, noHeader, seq)
		c.feed(b[:HeaderLen+1], epoch)
	}
	if n := cap(c.records.open); n > 4096 {
		t.Errorf("%d bytes for 1,000 that came", n)
	}
	big := make([]byte, 65507)
	for seq := uint32(1001); seq < 3000; seq++ {
		putHeader(big, noHeader, seq)
		c.feed(big, epoch)
		if cap(c.records.open) > MaxCaplen || c.held.memory > maxHeldBytes {
			t.Fatalf("%d bytes in the open frame, %d in the window", cap(c.records.open), c.held.memory)
		}
	}
	total := 0
	for i := range c.held.slots {
		total += cap(c.held.slots[i].buf)
	}
	if total != c.held.memory {
		t.Errorf("the window has %d bytes and counts %d", total, c.held.memory)
	}
	c.Flush()
	c.check(t)
}

func TestReassemblerDoesNotAllocate(t *testing.T) {
	d := newDriver(t, 1472, 65536)
	d.block(randomFrames(newRand(2), 2000))
	d.flush()
	r := NewReassembler(ReassemblerConfig{}, func(*Packet) {})
	round, seq := 0, uint32(0)
	run := func() {
		for i := range d.datagrams {
			if j := i ^ 1; j < len(d.datagrams) && (round+i)%50 > 1 {
				b := d.datagrams[j]
				binary.BigEndian.PutUint32(b[4:], seq+uint32(j))
				r.Datagram(b, epoch)
			}
		}
		seq += uint32(len(d.datagrams))
		round++
	}
	for range 50 {
		run()
	}
	if n := testing.AllocsPerRun(50, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWholeFramesAreNotCopied(t *testing.T) {
	b := smallStream(t, 1)[0]
	r := NewReassembler(ReassemblerConfig{}, func(p *Packet) {
		if &p.Data[0] != &b[HeaderLen+PacketHeaderLen] {
			t.Error("the frame was copied")
		}
		if cap(p.Data) != len(p.Data) {
			t.Error("append to the frame would write into the datagram")
		}
	})
	r.Datagram(b, epoch)
	if r.Counters().Delivered != 1 {
		t.Error("the frame was not delivered")
	}
}

func TestTail(t *testing.T) {
	r := NewReassembler(ReassemblerConfig{}, func(*Packet) {})
	if n := r.Tail(7); n != 7 {
		t.Errorf("nothing came: %d", n)
	}
	for _, b := range smallStream(t, 5) {
		r.Datagram(b, epoch)
	}
	for captured, want := range map[uint32]uint64{5: 0, 6: 1, 1000: 995, 4: 0, 0: 0} {
		if n := r.Tail(captured); n != want {
			t.Errorf("Tail(%d) = %d, want %d", captured, n, want)
		}
	}
	r.records.last = 1<<32 - 2
	if n := r.Tail(3); n != 5 {
		t.Errorf("across the wrap: %d", n)
	}
}

// A duplicate is told from a late datagram as far back as the history goes; what is older counts as late.
func TestLateOrDuplicate(t *testing.T) {
	b := smallStream(t, 3*historyLen)
	c := newCollector(ReassemblerConfig{Window: -1})
	lost := historyLen + 7 // the same place in the ring was set one round before
	for i := range b {
		if i != lost {
			c.feed(b[i], epoch)
		}
		switch i {
		case lost + 10:
			c.feed(b[lost], epoch)
			c.feed(b[lost], epoch)
			c.feed(b[lost+1], epoch)
			if k := c.check(t); k.Late != 1 || k.Duplicate != 2 {
				t.Fatalf("%+v", k)
			}
		case 2*historyLen + 5:
			c.feed(b[5], epoch)
			if k := c.check(t); k.Late != 2 || k.Duplicate != 2 {
				t.Fatalf("older than the history: %+v", k)
			}
		}
	}
}

// What overtook by more than the window is used when the stream comes to it.
func TestJumpIsReached(t *testing.T) {
	b := smallStream(t, 200)
	c := newCollector(ReassemblerConfig{})
	for i := range 150 {
		switch i {
		case 10:
			c.feed(b[149], epoch)
			c.feed(b[10], epoch)
		case 149:
		default:
			c.feed(b[i], epoch)
		}
	}
	if k := c.check(t); k.Delivered != 150 || k.InOrder != 150 || c.jump.waiting {
		t.Errorf("%+v", k)
	}
	// The same when there are gaps before it; it keeps the time of its arrival.
	c = newCollector(ReassemblerConfig{Window: 4, Hold: 10 * time.Millisecond})
	c.feed(b[0], epoch)
	c.feed(b[8], epoch)
	for _, i := range []int{4, 7} {
		c.feed(b[i], epoch.Add(time.Millisecond))
	}
	if at, ok := c.Deadline(); !ok || !at.Equal(epoch.Add(10*time.Millisecond)) || c.jump.waiting {
		t.Errorf("deadline %v, %v", at.Sub(epoch), ok)
	}
	c.Flush()
	if got := c.numbers(); got != "[1 5 8 9]" {
		t.Errorf("delivered %s", got)
	}
}

// A jump that the stream has belied does not carry it away when another one comes from farther ahead.
func TestTwoStrays(t *testing.T) {
	b := smallStream(t, 20)
	c := newCollector(ReassemblerConfig{})
	for i := range b {
		c.feed(b[i], epoch)
		if i == 5 || i == 10 || i == 15 {
			stray := append([]byte(nil), b[i]...)
			binary.BigEndian.PutUint32(stray[4:], uint32(i)*1000)
			c.feed(stray, epoch)
		}
	}
	c.Flush()
	// Of the last nothing is known but that the stream went on after it.
	if k := c.check(t); k.Delivered != 20 || k.Lost != 0 || k.Malformed != 3 {
		t.Errorf("%+v", k)
	}
}

// When the window has no memory left the first gaps are given up, also by a datagram that lies before all that are held.
func TestWindowByBytes(t *testing.T) {
	big := func(seq uint32) []byte {
		b := make([]byte, 65507)
		putHeader(b, HeaderLen, seq)
		putPacketHeader(b[HeaderLen:], &Frame{}, len(b)-HeaderLen-PacketHeaderLen, seq+1)
		return b
	}
	c := newCollector(ReassemblerConfig{})
	for seq := uint32(1); seq < 64; seq++ { // small ones first: the buffers of their slots grow later
		c.feed(big(seq)[:HeaderLen+PacketHeaderLen], epoch)
	}
	c.feed(big(0), epoch)
	const base = 128
	for seq := uint32(64); seq < base; seq++ {
		c.feed(big(seq)[:HeaderLen+PacketHeaderLen], epoch)
	}
	for seq := uint32(base + 60); seq > base+30; seq-- {
		c.feed(big(seq), epoch)
		if c.held.memory > maxHeldBytes {
			t.Fatalf("%d bytes", c.held.memory)
		}
	}
	total := 0
	for i := range c.held.slots {
		total += cap(c.held.slots[i].buf)
	}
	if total != c.held.memory {
		t.Errorf("the window has %d bytes and counts %d", total, c.held.memory)
	}
	c.Flush()
	k := c.check(t)
	if k.InOrder+k.Reordered+k.Lost != base+61 || k.Late == 0 || k.Malformed != 0 {
		t.Errorf("%+v", k)
	}
}
