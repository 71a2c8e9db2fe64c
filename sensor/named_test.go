package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/sink"
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
		}, 200 - uint64(lastFrame(d[4])), 0},
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
		}, 200, uint64(lastFrame(forged[1]) - 1)}, // the last one goes on
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

// TestNamedPortMoves: a NAT begins mid-stream and changes nothing but the port that our agent has named. The stream goes on from
// the new port, and not a frame is lost. Somebody who guesses the numbers while the agent is idle gets nothing into it, also
// when the agent then goes on from its port.
func TestNamedPortMoves(t *testing.T) {
	d := packed(t, testFrames(40_000, genuineLen), 1472)
	const nat = "10.0.0.2:6000"
	for _, tc := range []struct {
		name  string
		nat   bool
		guess bool
	}{
		{"NAT", true, false},
		{"guessed numbers while the agent is idle", false, true},
		{"guessed numbers, then NAT", true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				senders := &senderSink{}
				b := newBubble(t, Options{Sinks: []sink.Sink{senders}})
				b.connect("10.0.0.2", func(a *testAgent) {
					a.list = []rpcap.Interface{testInterface("eth0", "10.0.0.2")}
					a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
						return [][]byte{rpcap.StartCaptureReply{DataPort: 5000}.Append(nil)}
					})
				})
				at := 0
				captured := func() uint64 { return uint64(lastFrame(d[at-1])) }
				send := func(src string, datagrams int) { // 300 datagrams, 2,000 frames a second
					for range datagrams {
						b.feed(2003, src, d[at])
						at++
						n := uint32(captured())
						b.agents[0].setStats(rpcap.StatsReply{IfRecv: n, Captured: n}, rpcap.StatsReply{Captured: n})
						after(time.Second / 300)
					}
				}
				send(trueSource, 2000)
				if tc.guess {
					after(7 * time.Second)
					forged := renumbered(packed(t, testFrames(400, forgedLen), 1472), uint32(at), uint32(captured())+1)
					for _, f := range forged[:20] {
						b.feed(2003, falseSource, f)
						after(100 * time.Millisecond)
					}
				}
				src := trueSource
				if tc.nat {
					src = nat
				}
				send(src, 1500)
				moved := b.peer()
				send(src, 500) // the last frame begins in the last datagram, and does not end there
				p := b.peer()
				genuine, forged := senders.counts()
				t.Logf("%d frames of %d, %d forged, %+v", genuine, captured(), forged, p.Received)
				if genuine+1 < captured() || p.Received.Missing != 0 || forged != 0 || p.Disowned != 0 {
					t.Errorf("%d frames of %d, %d forged ones, %d missing, %d disowned", genuine, captured(), forged, p.Received.Missing, p.Disowned)
				}
				if p.DataSource.String() != src || tc.nat != (p.Rebound == 1) || p.Rebound != moved.Rebound {
					t.Errorf("from %v, rebound %d", p.DataSource, p.Rebound)
				}
				b.stop()
			})
		})
	}
}

// TestNamedPortAfterTailLoss: the agent's last frames were lost, and it is idle. Somebody who counts up to the number of frames
// that it has captured, so that STATS agree with him, is not taken for it.
func TestNamedPortAfterTailLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := packed(t, testFrames(400, genuineLen), 512)
		sink := &senderSink{}
		b := newBubble(t, Options{Sinks: []Sink{sink}})
		b.connect("10.0.0.2", func(a *testAgent) {
			a.list = []rpcap.Interface{testInterface("eth0", "10.0.0.2")}
			a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
				return [][]byte{rpcap.StartCaptureReply{DataPort: 5000}.Append(nil)}
			})
		})
		b.feed(2003, trueSource, d[:100]...)
		captured := lastFrame(d[119])
		b.agents[0].setStats(rpcap.StatsReply{Captured: captured}, rpcap.StatsReply{Captured: captured})
		after(3 * statsInterval)
		forged := renumbered(packed(t, testFrames(60, forgedLen), 140), 100, lastFrame(d[99])+1)
		for _, f := range forged {
			b.feed(2003, falseSource, f)
			after(contestInterval) // and STATS come
		}
		if _, n := sink.counts(); n != 0 || b.peer().Rebound != 0 {
			t.Errorf("%d forged frames, rebound %d", n, b.peer().Rebound)
		}
		b.stop()
	})
}
