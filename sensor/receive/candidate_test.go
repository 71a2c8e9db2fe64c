package receive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// renumbered is a copy of a stream's datagrams whose first ones have the numbers given.
func renumbered(d [][]byte, seq, npkt uint32) (out [][]byte) {
	for _, b := range d {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint32(b[4:], be32(b[4:])+seq)
		for at := int(binary.BigEndian.Uint16(b[2:])); at != noHeader && at+20 <= len(b); {
			binary.BigEndian.PutUint32(b[at+16:], be32(b[at+16:])+npkt-1)
			at += 20 + int(be32(b[at+8:]))
		}
		out = append(out, b)
	}
	return out
}

const (
	trueSource  = "10.0.0.2:5000"
	falseSource = "10.0.0.2:666"
)

// TestCandidateBeforeTheFirstDatagram: another sender at the agent's address is quicker than the agent. The agent's stream comes
// out whole, nothing of it is lost, and what the other one has sent is counted.
func TestCandidateBeforeTheFirstDatagram(t *testing.T) {
	d := packed(t, testFrames(40, 200), 512)
	broken := bytes.Clone(d[0])
	binary.BigEndian.PutUint32(broken[16:], 1<<30) // caplen
	notFirst := renumbered(d[:1], 0, 77)           // number 0 with frame 77
	plain := plainMessage(testFrames(1, 60)[0], 1)
	for _, tt := range []struct {
		name   string
		false  [][]byte
		pause  time.Duration
		forged int // frames of it that reach the outputs
	}{
		{"far number", renumbered(d[:1], 5000, 9000), 0, 0},
		{"far number, a while before", renumbered(d[:1], 5000, 9000), 2 * maxWait, 1},
		{"far numbers that agree", renumbered(d[:4], 5000, 9000), 0, 7},
		{"near number", renumbered(d[:1], 900, 2000), 0, 0},
		{"no caplen can be so long", [][]byte{broken}, 0, 0},
		{"no first datagram has this frame", notFirst, 0, 0},
		{"another format", [][]byte{plain}, 0, 1},
		{"a beginning", packed(t, testFrames(3, 100), 512)[:1], 0, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, now := testPort(), time.Now()
			s, got := testStream("10.0.0.2")
			p.add(s)
			receive(p, falseSource, now, tt.false...)
			now = now.Add(tt.pause)
			p.batch(0, now)
			receive(p, trueSource, now, d[0])
			receive(p, falseSource, now, tt.false...) // it does not give in
			for _, b := range d[1:] {
				receive(p, trueSource, now, b)
				receive(p, falseSource, now, tt.false[0])
			}
			p.batch(0, now.Add(2*candidateLife))
			r := s.received()
			if len(tt.false) > 1 {
				// Two datagrams that agree are a stream like any other until the agent says what it has captured.
				p.with(func() {
					p.judge(s, 1, now)
				})
				return
			}
			if r.Frames != 40 || r.Missing != 0 || s.path.sources[0] != netip.MustParseAddrPort(trueSource) {
				t.Errorf("%d of the agent's 40 frames, %d missing, sources %v", r.Frames, r.Missing, s.path.sources)
			}
			if got.count() != 40+int(s.path.forged) || int(s.path.forged) > tt.forged {
				t.Errorf("%d frames delivered, %d forged", got.count(), s.path.forged)
			}
			if n := r.Datagrams + p.foreign; n != uint64(2*len(d)+1) {
				t.Errorf("%d datagrams counted of %d", n, 2*len(d)+1)
			}
			if p.candidates.bytes != 0 || len(p.candidates.of) != 0 {
				t.Errorf("%d bytes held for %d candidates", p.candidates.bytes, len(p.candidates.of))
			}
		})
	}
}

// TestCandidateOvertaken: the first datagrams of a capture may overtake each other, and none is lost for it.
func TestCandidateOvertaken(t *testing.T) {
	d := packed(t, testFrames(40, 200), 512)
	for _, order := range [][]int{{1, 0}, {0, 2, 1}, {2, 0, 1}, {2, 1, 0}, {3, 3, 0, 1, 1, 2}} {
		p, now := testPort(), time.Now()
		s, got := testStream("10.0.0.2")
		p.add(s)
		for _, i := range order {
			receive(p, trueSource, now, d[i])
		}
		receive(p, trueSource, now, d[slices.Max(order)+1:]...)
		p.batch(0, now.Add(maxWait))
		if got.count() != 40 || p.foreign != 0 {
			t.Errorf("order %v: %d frames of 40, foreign %d", order, got.count(), p.foreign)
		}
	}
}

// TestCandidateOfAWholeStream: somebody sends a stream without a fault before the agent does. What the agent says of its capture
// shows whose the stream is.
func TestCandidateOfAWholeStream(t *testing.T) {
	d := packed(t, testFrames(400, 200), 512)
	for _, tt := range []struct {
		name  string
		false [][]byte
	}{
		{"ahead of the agent", renumbered(d[:10], 5000, 9000)},
		{"from the beginning, then silent", d[:10]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, now := testPort(), time.Now()
			s, got := testStream("10.0.0.2")
			p.add(s)
			receive(p, falseSource, now, tt.false...)
			at, lost := 0, uint64(0)
			for range 4 { // each 5 s
				p.with(func() { p.asked(s) })
				p.with(func() {
					g := readHeader(d[max(at-1, 0)], 65535)
					p.judge(s, g.last, now)
				})
				if s.path.sources[len(s.path.sources)-1].Port() != 5000 {
					lost = uint64(at + 20)
				}
				receive(p, trueSource, now, d[at:at+20]...)
				at += 20
				now = now.Add(5 * time.Second) // a regular STATS
			}
			receive(p, trueSource, now, d[at:]...)
			r := s.received()
			if s.path.sources[len(s.path.sources)-1].Port() != 5000 || lost > 60 || r.Frames+r.Missing != 400 || r.Frames < 200 {
				t.Errorf("sources %v, %d datagrams were foreign, %+v", s.path.sources, lost, r)
			}
			if int(r.Frames+s.path.forged) != got.count() || s.path.forged == 0 && tt.false[0][7] != 0 {
				t.Errorf("%d frames, %d forged, %d delivered", r.Frames, s.path.forged, got.count())
			}
		})
	}
}

// TestCandidateOnAQuietStream: an agent that has sent one datagram and has nothing more to say keeps its stream.
func TestCandidateOnAQuietStream(t *testing.T) {
	d := packed(t, testFrames(40, 200), 512)
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	receive(p, trueSource, now, d[0])
	receive(p, falseSource, now.Add(time.Minute), renumbered(d, 5000, 9000)...)
	receive(p, trueSource, now.Add(time.Hour), d[1:]...)
	if r := s.received(); r.Frames != 40 || got.count() != 40 || p.foreign != uint64(len(d)) {
		t.Errorf("%+v, foreign %d", r, p.foreign)
	}
}

// TestCandidateToContinue: one who guesses numbers ahead of a stream that goes on gets nothing into it.
func TestCandidateToContinue(t *testing.T) {
	d := packed(t, testFrames(400, 200), 512)
	for _, gap := range []uint32{1, 10, 100, 900} {
		t.Run(fmt.Sprint(gap), func(t *testing.T) {
			p, now := testPort(), time.Now()
			s, got := testStream("10.0.0.2")
			p.add(s)
			receive(p, trueSource, now, d[:20]...)
			for i := 20; i < len(d); i++ {
				false := renumbered(d[:3], uint32(i)+gap, uint32(s.newest)+10+gap)
				if gap == 1 {
					false = false[:1]
				}
				receive(p, falseSource, now, false...)
				receive(p, trueSource, now, d[i])
				now = now.Add(time.Millisecond)
			}
			p.with(func() {
				p.conclude(s, now)
				s.finish(status.TailKnown, 400, sink.Forwarded{})
			})
			p.remove(s, now)
			p.batch(0, now.Add(2*candidateLife))
			if r := s.received(); r.Frames != 400 || got.count() != 400 || s.path.rebound != 0 || r.Late+r.Duplicate+r.Missing != 0 || p.candidates.bytes != 0 {
				t.Errorf("%+v, rebound %d", r, s.path.rebound)
			}
		})
	}
}

// TestCandidateToContinueAtTheEnd: the source port changes before the very last datagram.
func TestCandidateToContinueAtTheEnd(t *testing.T) {
	d := packed(t, testFrames(40, 200), 512)
	last := len(d) - 1
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	receive(p, trueSource, now, d[:last]...)
	receive(p, falseSource, now.Add(time.Second), d[last])
	p.with(func() {
		p.conclude(s, now.Add(2*time.Second))
		s.finish(status.TailKnown, 40, sink.Forwarded{})
	})
	if r := s.received(); r.Frames != 40 || got.count() != 40 || r.Missing != 0 || s.path.rebound != 1 || p.candidates.bytes != 0 {
		t.Errorf("%+v, rebound %d", r, s.path.rebound)
	}
}

// TestCandidateAfterLoss: the first datagrams of a stream are lost. Neither two that follow each other, nor one alone, nor one
// before the end are lost with them.
func TestCandidateAfterLoss(t *testing.T) {
	d := packed(t, testFrames(40, 200), 512)
	for _, far := range []uint32{0, 5000} {
		d := renumbered(d, far, 1+far*2)
		p, now := testPort(), time.Now()
		s, got := testStream("10.0.0.2")
		p.add(s)
		receive(p, trueSource, now, d[3])
		if got.count() != 0 || p.foreign != 0 {
			t.Fatalf("%d frames, %d foreign", got.count(), p.foreign)
		}
		receive(p, trueSource, now, d[4])
		p.batch(0, now.Add(2*testLimits.Hold))
		if r := s.received(); r.Datagrams != 2 || got.count() == 0 {
			t.Errorf("from %d: %+v", far, r)
		}

		p = testPort()
		s, got = testStream("10.0.0.2")
		p.add(s)
		receive(p, trueSource, now, d[3])
		due := p.batch(0, now)
		if due.IsZero() || due.After(now.Add(maxWait)) {
			t.Fatalf("due %v", due)
		}
		p.batch(0, due)
		if p.batch(0, due.Add(2*testLimits.Hold)); got.count() == 0 {
			t.Error("one datagram alone was not delivered")
		}

		p = testPort()
		s, got = testStream("10.0.0.2")
		p.add(s)
		receive(p, trueSource, now, d[3])
		p.with(func() {
			p.conclude(s, now)
			s.finish(status.TailUnknown, 0, sink.Forwarded{})
		})
		p.remove(s, now)
		if got.count() == 0 || len(p.bySrc) != 0 || len(p.pending) != 0 {
			t.Error("one datagram before the end was not delivered")
		}
	}
}

// TestCandidateRebindingWithLoss: a stream goes on from another port, and datagrams were lost meanwhile.
func TestCandidateRebindingWithLoss(t *testing.T) {
	d := packed(t, testFrames(4000, 200), 512)
	for _, gap := range []int{0, 3, 40, 900} {
		p, now := testPort(), time.Now()
		s, _ := testStream("10.0.0.2")
		p.add(s)
		receive(p, trueSource, now, d[:100]...)
		for i := 100 + gap; i < len(d); i++ {
			now = now.Add(5 * time.Millisecond)
			receive(p, "10.0.0.2:7777", now, d[i])
		}
		if r := s.received(); s.path.rebound != 1 || r.Lost != uint64(gap) || r.Datagrams != uint64(len(d)-gap) || p.foreign != 0 {
			t.Errorf("gap %d: rebound %d, foreign %d, %+v", gap, s.path.rebound, p.foreign, r)
		}
	}
	// Too far for that; the agent's numbers tell.
	p, now := testPort(), time.Now()
	s, _ := testStream("10.0.0.2")
	p.add(s)
	stats := func(i int) {
		p.with(func() { p.asked(s); p.judge(s, readHeader(d[i], 65535).last, now) })
	}
	receive(p, trueSource, now, d[:100]...)
	stats(100)
	receive(p, "10.0.0.2:7777", now, d[1200:1250]...)
	stats(1250)
	receive(p, "10.0.0.2:7777", now, d[1250:]...)
	if r := s.received(); s.path.rebound != 1 || r.Lost != 1150 || r.Frames+r.Missing != 4000 || s.path.forged != 0 {
		t.Errorf("rebound %d, foreign %d, %+v", s.path.rebound, p.foreign, r)
	}
}

// TestCandidatesAreBounded: whoever sends from many ports at an agent's address gets no memory for it, and the stream goes on.
func TestCandidatesAreBounded(t *testing.T) {
	d := packed(t, testFrames(400, 1400), 1472)
	p, now := testPort(), time.Now()
	s, _ := testStream("10.0.0.2")
	p.add(s)
	n := uint64(0)
	for port := range 2000 {
		forged := renumbered(d[:1], uint32(port)*3000+1, uint32(port)*7000+2)
		receive(p, fmt.Sprintf("10.0.0.2:%d", 10000+port), now, forged...)
		n++
	}
	if len(p.candidates.of) > maxCandidates || p.candidates.bytes > maxHeldBytes {
		t.Errorf("%d candidates hold %d bytes", len(p.candidates.of), p.candidates.bytes)
	}
	receive(p, trueSource, now, d...)
	p.batch(0, now.Add(2*candidateLife))
	if r := s.received(); r.Frames != 400 || p.foreign != n || p.candidates.bytes != 0 {
		t.Errorf("%d frames, foreign %d of %d, held %d", r.Frames, p.foreign, n, p.candidates.bytes)
	}
}

// TestSettledCandidateHasADeadline: a stream that a settled candidate begins with a gap waits no longer than any other.
func TestSettledCandidateHasADeadline(t *testing.T) {
	d := packed(t, testFrames(40, 200), 512)
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	receive(p, trueSource, now, d[1])
	p.sock.(*fakeSocket).last = nil
	due := p.batch(0, now.Add(maxWait))
	if len(s.path.sources) == 0 || due.IsZero() {
		t.Fatalf("sources %v, due %v", s.path.sources, due)
	}
	for range 10 {
		if due.IsZero() {
			break
		}
		due = p.batch(0, due)
	}
	if got.count() == 0 {
		t.Errorf("no frame, %+v", s.received())
	}
}

// TestJudgedCandidateHasADeadline: STATS settle a candidate beside the port's goroutine, which must not sleep for ever then.
func TestJudgedCandidateHasADeadline(t *testing.T) {
	d := packed(t, testFrames(400, 200), 512)
	p, now := testPort(), time.Now()
	s, _ := testStream("10.0.0.2")
	p.add(s)
	receive(p, trueSource, now, d[:4]...)
	receive(p, falseSource, now, renumbered(d[:4], 5000, 9000)...)
	p.sock.(*fakeSocket).last = nil
	if due := p.batch(0, now); due.IsZero() || due.Sub(now) > candidateTick {
		t.Errorf("due after %v", due.Sub(now))
	}
}

// TestAskedKeepsOtherMarks: what one capture of an address notes does not change what another has noted.
func TestAskedKeepsOtherMarks(t *testing.T) {
	d := packed(t, testFrames(400, 200), 512)
	p, now := testPort(), time.Now()
	a, _ := testStream("10.0.0.2")
	p.add(a)
	receive(p, falseSource, now, renumbered(d[:10], 5000, 9000)...) // taken for the agent
	receive(p, trueSource, now, d[:20]...)
	captured := readHeader(d[19], 65535).last
	p.with(func() { p.asked(a) })
	receive(p, trueSource, now, d[20:40]...)
	b, _ := testStream("10.0.0.2")
	p.with(func() { p.asked(b) }) // later, when the true port is further
	p.with(func() { p.judge(a, captured, now) })
	if got := a.path.sources; len(got) == 0 || got[len(got)-1].Port() != 5000 {
		t.Errorf("sources %v", got)
	}
}

// TestNumberFarAheadDoesNotMoveAStream: a stray on the agent's own port must not keep the stream from being found when its
// port changes.
func TestNumberFarAheadDoesNotMoveAStream(t *testing.T) {
	d := packed(t, testFrames(400, 200), 512)
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	receive(p, trueSource, now, d[:20]...)
	receive(p, trueSource, now, renumbered(d[:1], 50000, 90000)...)
	now = now.Add(testLimits.Hold / 2)
	receive(p, "10.0.0.2:5001", now, d[20:]...)
	p.sock.(*fakeSocket).last = nil
	p.batch(0, now.Add(time.Second))
	if s.path.rebound != 1 || got.count() < 399 {
		t.Errorf("rebound %d, %d frames", s.path.rebound, got.count())
	}
}

// TestHeldShares: one who sends from many ports takes the room of no other candidate of the port, and who sends to one data port
// none of the others' share.
func TestHeldShares(t *testing.T) {
	const ports = 4
	budget := newHeldBudget(ports)
	now := time.Now()
	d := packed(t, testFrames(4000, 1400), 1472)
	var all []*dataPort
	for range ports {
		p := newDataPort(newFakeSocket(2003), budget, zap.NewNop())
		s, _ := testStream("10.0.0.2")
		s.path.state = pathUnanswered
		p.add(s)
		all = append(all, p)
	}
	for k := range maxCandidates - 1 { // fills all that there is
		receive(all[0], fmt.Sprintf("10.0.0.2:%d", 10000+k), now, renumbered(d, uint32(k)*5000, uint32(k)*9000+1)...)
	}
	first := all[0].candidates.bytes
	if first > maxHeldBytes || first < maxHeldBytes/2 {
		t.Errorf("%d bytes held on one port", first)
	}
	receive(all[0], trueSource, now, d[:200]...)
	if c := all[0].candidates.of[netip.MustParseAddrPort(trueSource)]; c == nil || len(c.held) != 200 {
		t.Errorf("the agent's candidate: %+v", c)
	}
	for _, p := range all[1:] {
		receive(p, trueSource, now, d[:1000]...)
		if c := p.candidates.of[netip.MustParseAddrPort(trueSource)]; c == nil || len(c.held) != 1000 {
			t.Errorf("another port's candidate: %+v", c)
		}
	}
	total := 0
	for _, p := range all {
		total += p.candidates.bytes
		if p.candidates.bytes != heldBytes(p) {
			t.Errorf("%d bytes held, %d counted", heldBytes(p), p.candidates.bytes)
		}
	}
	if total > maxHeldBytes {
		t.Errorf("%d bytes held", total)
	}
	for _, p := range all {
		for _, c := range p.candidates.of {
			p.candidates.drop(c)
		}
	}
	if n := budget.common.Load(); n != 0 {
		t.Errorf("%d bytes are never given back", n)
	}
}
