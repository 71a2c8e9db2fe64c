package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
)

// TestAnnouncedPort: our agent says which port it sends from. Who else at its address sends what looks like its stream, before
// or after, gets nothing into it.
func TestAnnouncedPort(t *testing.T) {
	d := packed(t, testFrames(200, 200), 512)
	forged := packed(t, testFrames(60, 90), 512)
	const nat = "10.0.0.2:6000"
	for _, tc := range []struct {
		name     string
		behind   bool // the agent's address is none of its own
		run      func(b *bubble, answer func())
		frames   uint64
		disowned uint64
	}{
		{"forged before STARTCAP is answered", false, func(b *bubble, answer func()) {
			b.feed(2003, falseSource, forged...)
			answer()
			b.feed(2003, trueSource, d...)
		}, 200, 0},
		{"forged before the first datagram", false, func(b *bubble, answer func()) {
			answer()
			b.feed(2003, falseSource, forged...)
			after(3 * maxWait)
			b.feed(2003, trueSource, d...)
		}, 200, 0},
		{"forged, and the agent was quicker than its answer", false, func(b *bubble, answer func()) {
			b.feed(2003, falseSource, forged[0])
			b.feed(2003, trueSource, d[:10]...)
			b.feed(2003, falseSource, forged[1:]...)
			answer()
			b.feed(2003, trueSource, d[10:]...)
		}, 200, 0},
		{"datagrams overtook each other, and the answer", false, func(b *bubble, answer func()) {
			b.feed(2003, trueSource, d[1], d[0], d[2], d[4], d[3], d[3], d[8], d[7], d[5], d[6])
			answer()
			b.feed(2003, trueSource, d[9:]...)
		}, 200, 0},
		{"forged as a continuation after a silence", false, func(b *bubble, answer func()) {
			answer()
			b.feed(2003, trueSource, d[:10]...)
			after(2 * farSilence)
			b.feed(2003, falseSource, d[10:20]...)
			b.feed(2003, trueSource, d[10:]...)
		}, 200, 0},
		{"the first datagrams are lost", false, func(b *bubble, answer func()) {
			answer()
			b.feed(2003, trueSource, d[5:]...)
		}, 200 - uint64(readHeader(d[4], 65535).last), 0},
		{"a NAT has changed the port", true, func(b *bubble, answer func()) {
			answer()
			b.feed(2003, nat, d...)
		}, 200, 0},
		{"a NAT has changed the port before the answer", true, func(b *bubble, answer func()) {
			b.feed(2003, nat, d[:10]...)
			answer()
			b.feed(2003, nat, d[10:]...)
		}, 200, 0},
		{"a NAT has kept the port, somebody was quicker", true, func(b *bubble, answer func()) {
			answer()
			b.feed(2003, falseSource, forged[:2]...)
			b.feed(2003, trueSource, d...)
		}, 200, uint64(readHeader(forged[1], 65535).last - 1)}, // the last one goes on
		{"the port has changed without a NAT: STATS tell", false, func(b *bubble, answer func()) {
			answer()
			b.feed(2003, falseSource, forged[:4]...)
			b.feed(2003, nat, d...)
			b.agents[0].setStats(rpcap.StatsReply{Captured: 200}, rpcap.StatsReply{Captured: 200})
			after(2 * contestInterval)
		}, 200, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				held := make(chan struct{})
				b.connect("10.0.0.2", func(a *testAgent) {
					if !tc.behind {
						a.list = []rpcap.Interface{testInterface("eth0", "10.0.0.2")}
					}
					a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
						<-held
						return [][]byte{rpcap.StartCaptureReply{DataPort: 5000}.Append(nil)}
					})
				})
				tc.run(b, func() { close(held); synctest.Wait() })
				after(time.Second)
				p := b.Peers()[0]
				if p.Received.Frames != tc.frames || p.Disowned != tc.disowned {
					t.Errorf("%d frames, %d disowned, from %v", p.Received.Frames, p.Disowned, p.DataSource)
				}
				if n := b.ports.get(2003); n == nil {
					t.Error("no port")
				}
				b.stop()
			})
		})
	}
}
