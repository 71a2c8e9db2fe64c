package receive

import (
	"net/netip"
	"testing"
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// FuzzPort sends a port whatever there is from four sources: nothing panics, arrivals add up, and only the agent's
// address reaches the stream.
func FuzzPort(f *testing.F) {
	for _, d := range packed(f, testFrames(5, 300), 512) {
		f.Add(d, uint8(0), d, uint8(1))
	}
	f.Add(plainMessage(testFrames(1, 60)[0], 1), uint8(0), []byte{0, 110, 0xff, 0xff, 0, 0, 0, 1, 2}, uint8(2))
	sources := []netip.AddrPort{
		netip.MustParseAddrPort("10.0.0.2:5000"), netip.MustParseAddrPort("10.0.0.2:5001"),
		netip.MustParseAddrPort("10.0.0.3:5000"), netip.MustParseAddrPort("[fe80::1%eth0]:5000"),
	}
	f.Fuzz(func(t *testing.T, a []byte, srcA uint8, b []byte, srcB uint8) {
		p, now := testPort(), time.Now()
		s, got := testStream("10.0.0.2")
		p.add(s)
		batch := []fakeDatagram{{sources[srcA%4], a}, {sources[srcB%4], b}, {sources[srcA%4], b}, {sources[srcB%4], a}}
		p.sock.(*fakeSocket).last = batch
		p.batch(len(batch), now)
		p.batch(0, now.Add(time.Second))
		p.with(func() {
			p.conclude(s, now)
			s.finish(status.TailUnknown, 0, sink.Forwarded{})
		})
		p.batch(0, now.Add(2*candidateLife))
		r := s.received()
		if r.Datagrams != r.InOrder+r.Reordered+r.Late+r.Duplicate+r.Malformed || r.Datagrams+p.foreign != 4 {
			t.Errorf("%+v, foreign %d", r, p.foreign)
		}
		if r.Frames+s.path.forged != uint64(got.count()) || len(p.candidates.of) != 0 || p.candidates.bytes != 0 {
			t.Errorf("%d frames counted, %d delivered", r.Frames, got.count())
		}
		if srcA%4 > 1 && srcB%4 > 1 && r.Datagrams != 0 {
			t.Error("a stranger's datagram reached the stream")
		}
	})
}
