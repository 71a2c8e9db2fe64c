package receive

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// collector is a sink that keeps the numbers of the frames it is given.
type collector struct{ numbers []uint64 }

func (c *collector) Attach(sink.Source) sink.Feed { return c }
func (c *collector) Frame(p *udpstr.Packet)       { c.numbers = append(c.numbers, p.Number) }
func (c *collector) Counters() sink.Counters      { return sink.Counters{Written: uint64(len(c.numbers))} }
func (c *collector) Detach(sink.Forwarded)        {}
func (c *collector) count() int                   { return len(c.numbers) }
func (c *collector) Name() string                 { return "collector" }

// Run implements Sink.
func (c *collector) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// attached is a feed of one sink, as a hub gives it.
func attached(k sink.Sink) []*sink.Attachment {
	h, err := sink.NewHub([]sink.Sink{k}, nil, zap.NewNop())
	if err != nil {
		panic(err)
	}
	src := sink.Source{Host: "10.0.0.2", Agent: netip.MustParseAddr("10.0.0.2"), Interface: "eth0", LinkType: 1, Snaplen: 65535}
	return h.Attach(src, sink.Forwarded{})
}

var testLimits = Limits{Window: 64, Hold: 20 * time.Millisecond}

func testStream(addr string) (*stream, *collector) {
	c := &collector{}
	s := newStream(sink.Source{Host: addr, Agent: netip.MustParseAddr(addr), Interface: "eth0", Snaplen: 65535}, testLimits)
	s.feeds = attached(c)
	return s, c
}

// receive puts datagrams through a port as one batch.
func receive(p *dataPort, src string, now time.Time, payloads ...[]byte) {
	batch := make([]fakeDatagram, len(payloads))
	for i, b := range payloads {
		batch[i] = fakeDatagram{netip.MustParseAddrPort(src), b}
	}
	p.sock.(*fakeSocket).last = batch
	p.batch(len(batch), now)
}

func testPort() *dataPort { return newDataPort(newFakeSocket(2003), newHeldBudget(1), zap.NewNop()) }

func TestPortBindsThePendingStream(t *testing.T) {
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	d := packed(t, testFrames(40, 200), 512)
	receive(p, "10.0.0.2:5000", now, d[0]) // nobody waits yet
	p.add(s)
	receive(p, "10.0.0.9:5000", now, d[0])            // another address
	receive(p, "10.0.0.2:5000", now, []byte{0, 1, 2}) // no datagram of ours
	if p.foreign != 3 || got.count() != 0 {
		t.Fatalf("foreign %d, frames %d", p.foreign, got.count())
	}
	receive(p, "[::ffff:10.0.0.2]:5000", now, d...) // as a socket for both families shows it
	if got.count() != 40 || p.foreign != 3 {
		t.Errorf("frames %d, foreign %d", got.count(), p.foreign)
	}
	receive(p, "10.0.0.2:6000", now, d[0]) // nobody waits any more, and it continues nothing
	if p.foreign != 4 {
		t.Errorf("foreign %d", p.foreign)
	}
}

// TestPortFlood: a foreign flood is dropped without touching the stream.
func TestPortFlood(t *testing.T) {
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	d := packed(t, testFrames(40, 200), 512)
	for i, b := range d {
		for range 50 {
			receive(p, "10.0.0.66:4444", now, d[i], d[0])
		}
		receive(p, "10.0.0.2:5000", now, b)
	}
	if got.count() != 40 || p.foreign != uint64(100*len(d)) || len(p.bySrc) != 1 || len(p.ended) != 0 {
		t.Errorf("frames %d, foreign %d, sources %d", got.count(), p.foreign, len(p.bySrc))
	}
}

func TestPortRebinding(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p, now := testPort(), time.Now()
		s, got := testStream("10.0.0.2")
		p.add(s)
		var d [][]byte
		if plain {
			for i, f := range testFrames(60, 100) {
				d = append(d, plainMessage(f, uint32(i+1)))
			}
		} else {
			d = packed(t, testFrames(60, 400), 512)
		}
		half := len(d) / 2
		receive(p, "10.0.0.2:5000", now, d[:half]...)
		receive(p, "10.0.0.2:7777", now, d[half+1:]...) // one lost when the NAT forgot
		receive(p, "10.0.0.2:5000", now, d[half])       // and it comes the old way
		if s.newest != 60 || got.count() < 58 || s.path.rebound != 1 || p.foreign != 0 {
			t.Errorf("plain %v: last %d, frames %d, rebound %d, foreign %d", plain, s.newest, got.count(), s.path.rebound, p.foreign)
		}
		if a := s.path.sources; len(a) != 2 || a[1].Port() != 7777 {
			t.Errorf("sources %v", a)
		}
	}
}

// TestPortSharedAddress: two streams of one address on one port are told apart by source port, and the second may start
// while the first runs.
func TestPortSharedAddress(t *testing.T) {
	p, now := testPort(), time.Now()
	one, got1 := testStream("10.0.0.2")
	two, got2 := testStream("10.0.0.2")
	d := packed(t, testFrames(30, 300), 512)
	p.add(one)
	receive(p, "10.0.0.2:5000", now, d[:5]...)
	p.add(two)
	receive(p, "10.0.0.2:6000", now, d[:3]...)
	receive(p, "10.0.0.2:5000", now, d[5:]...)
	receive(p, "10.0.0.2:6000", now, d[3:]...)
	if got1.count() != 30 || got2.count() != 30 {
		t.Errorf("frames %d and %d", got1.count(), got2.count())
	}
}

// TestPortAfterTheEnd: what an abandoned capture still sends is not taken for the next one's, but its port may be reused.
func TestPortAfterTheEnd(t *testing.T) {
	p, now := testPort(), time.Now()
	old, _ := testStream("10.0.0.2")
	d := packed(t, testFrames(60, 400), 512)
	p.add(old)
	receive(p, "10.0.0.2:5000", now, d[:10]...)
	p.with(func() { old.finish(status.TailUnknown, 0, sink.Forwarded{}) })
	p.remove(old, now)
	next, got := testStream("10.0.0.2")
	p.add(next)
	receive(p, "10.0.0.2:5000", now, d[10:]...)
	if got.count() != 0 || p.pending[next.agent] != next {
		t.Fatalf("the old capture's datagrams went to the new one: %d frames", got.count())
	}
	receive(p, "10.0.0.2:5000", now, d...)
	if got.count() != 60 {
		t.Errorf("%d of 60 frames after the port was reused", got.count())
	}
}

// TestPortExpires: a gap is given up when its time is over, without a further datagram.
func TestPortExpires(t *testing.T) {
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	d := packed(t, testFrames(40, 400), 512)
	receive(p, "10.0.0.2:5000", now, append(d[:3:3], d[4:6]...)...)
	before := got.count()
	next := p.batch(0, now)
	if next.IsZero() || next.Sub(now) > testLimits.Hold {
		t.Fatalf("deadline %v after now", next.Sub(now))
	}
	if next := p.batch(0, next.Add(time.Millisecond)); !next.IsZero() || got.count() <= before {
		t.Errorf("frames %d before, %d after; next deadline %v", before, got.count(), next)
	}
	if r := s.received(); r.Lost != 1 || r.Missing == 0 {
		t.Errorf("%+v", r)
	}
}

// TestStreamAccounting: delivered and missing add up to what the agent has packed, start and tail included.
func TestStreamAccounting(t *testing.T) {
	p, now := testPort(), time.Now()
	s, got := testStream("10.0.0.2")
	p.add(s)
	const frames = 200
	d := packed(t, testFrames(frames, 300), 600)
	for i, b := range d {
		switch {
		case i < 3, i%17 == 5, i > len(d)-4: // lost: the start, some, the end
		case i%13 == 4: // twice
			receive(p, "10.0.0.2:5000", now, b, b)
		case i%13 == 7: // late by one
			receive(p, "10.0.0.2:5000", now, d[min(i+1, len(d)-4)], b)
		default:
			receive(p, "10.0.0.2:5000", now, b)
		}
		now = now.Add(time.Millisecond)
	}
	p.with(func() { s.finish(status.TailKnown, frames, sink.Forwarded{}) })
	r := s.received()
	if r.Frames != uint64(got.count()) || r.Frames+r.Missing != frames || s.tailLost == 0 {
		t.Errorf("%d frames + %d missing (%d at the end), sent %d", r.Frames, r.Missing, s.tailLost, frames)
	}
	if r.Datagrams != r.InOrder+r.Reordered+r.Late+r.Duplicate+r.Malformed {
		t.Errorf("arrivals do not add up: %+v", r)
	}
}

// TestPortOfAnEndedStream: a capture that lost its first datagram has its frames although its source port was that of an ended
// one, an hour or a second ago.
func TestPortOfAnEndedStream(t *testing.T) {
	for _, apart := range []time.Duration{time.Second, time.Hour} {
		p, now := testPort(), time.Now()
		old, _ := testStream("10.0.0.2")
		p.add(old)
		receive(p, "10.0.0.2:5000", now, packed(t, testFrames(60, 400), 512)[:10]...)
		p.with(func() { old.finish(status.TailUnknown, 0, sink.Forwarded{}) })
		p.remove(old, now)
		now = now.Add(apart)
		next, got := testStream("10.0.0.2")
		p.add(next)
		for _, d := range packed(t, testFrames(600, 400), 512)[1:] {
			now = now.Add(time.Second)
			receive(p, "10.0.0.2:5000", now, d)
		}
		// Within the time that the ended stream's port stays known, what comes may be that stream's.
		if n, most := got.count(), uint64(endedFor/time.Second); n < 500 || p.foreign > most || apart > endedFor && p.foreign > 0 {
			t.Errorf("%v later: %d frames of 600, %d datagrams foreign", apart, n, p.foreign)
		}
	}
}

// runsOf is a fakeSocket that hands out together what one source has sent in datagrams of equal length.
type runsOf struct{ *fakeSocket }

func (f runsOf) Run(i int) (src netip.AddrPort, run []byte, size, n int) {
	src, size = f.last[i].src, len(f.last[i].b)
	for ; i+n < len(f.last) && f.last[i+n].src == src && len(run) == n*size && len(f.last[i+n].b) <= size; n++ {
		run = append(run, f.last[i+n].b...)
	}
	return src, run, size, n
}

// TestRunsOfDatagrams: datagrams that receive offload has joined are counted and delivered as one by one: those of a stream, also
// while its path is not settled, and foreign ones.
func TestRunsOfDatagrams(t *testing.T) {
	frames := testFrames(300, 300)
	datagrams := packed(t, frames, 1000)
	agent := netip.MustParseAddrPort("10.0.0.2:5000")
	var received [2]status.Received
	var foreign [2]uint64
	var numbers [2]string
	for k, sock := range []Socket{newFakeSocket(2003), runsOf{newFakeSocket(2003)}} {
		p := newDataPort(sock, newHeldBudget(1), zap.NewNop())
		s := newStream(sink.Source{Agent: agent.Addr(), LinkType: 1, Snaplen: 65535}, testLimits)
		out := new(collector)
		s.feeds = attached(out)
		p.add(s)
		fake, ok := sock.(*fakeSocket)
		if !ok {
			fake = sock.(runsOf).fakeSocket
		}
		now := time.Now()
		for from := 0; from < len(datagrams); from += 10 {
			var batch []fakeDatagram
			for i, b := range datagrams[from:min(from+10, len(datagrams))] {
				if from+i == 25 {
					continue // lost
				}
				batch = append(batch, fakeDatagram{agent, b})
			}
			for range 3 {
				batch = append(batch, fakeDatagram{netip.MustParseAddrPort("10.0.0.9:1"), []byte("somebody else")})
			}
			fake.last = batch
			p.batch(len(batch), now)
		}
		if next := p.expire(now.Add(time.Second)); !next.IsZero() {
			t.Errorf("%d: due at %v", k, next)
		}
		received[k], foreign[k], numbers[k] = s.received(), p.foreign, fmt.Sprint(out.numbers)
		if s.path.taken != uint64(len(datagrams)-1) || s.nextSeq != uint32(len(datagrams)) {
			t.Errorf("%d: %d taken, next %d, of %d datagrams", k, s.path.taken, s.nextSeq, len(datagrams))
		}
	}
	if received[0] != received[1] || numbers[0] != numbers[1] || received[1].Lost != 1 || received[1].Missing == 0 {
		t.Errorf("one by one %+v\ntogether   %+v", received[0], received[1])
	}
	if foreign[0] != foreign[1] || foreign[1] == 0 {
		t.Errorf("foreign %d", foreign)
	}
}
