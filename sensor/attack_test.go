package sensor

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/rpcap"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

const (
	genuineLen = 200 // bytes of the agent's frames at least, and more than forged ones have
	forgedLen  = 90
)

// senderSink tells the agent's frames from forged ones.
type senderSink struct {
	mu              sync.Mutex
	genuine, forged uint64
}

func (s *senderSink) Name() string                  { return "lengths" }
func (s *senderSink) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (s *senderSink) Attach(sink.Source) sink.Feed  { return s }
func (s *senderSink) Counters() sink.Counters       { return sink.Counters{} }
func (s *senderSink) Detach(sink.Forwarded)         {}
func (s *senderSink) Frame(p *udpstr.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.Len < genuineLen:
		s.forged++
	default:
		s.genuine++
	}
}

func (s *senderSink) counts() (genuine, forged uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.genuine, s.forged
}

// TestForgedStream: a process at the agent's address, without privileges, sends a stream of its own before the agent's first
// datagram, and does not stop. After the second STATS that the agent has answered with frames captured every frame of the
// agent arrives, what had gone out of the other is counted, and one warning names it.
func TestForgedStream(t *testing.T) {
	const rate, tick, length = 1000, 10 * time.Millisecond, 25 * time.Second
	d := packed(t, testFrames(30_000, genuineLen), 1472)
	forged := packed(t, testFrames(260_000, forgedLen), 1472)
	for _, tc := range []struct {
		name  string
		every int           // ticks between the forger's datagrams, or
		each  int           // its datagrams each tick
		idle  time.Duration // the agent captures nothing for so long
		ours  bool
		nat   bool // ours, and a NAT gives its data another port
		ports int  // that the forger sends from; 0: one
	}{
		{"fast, another make", 0, 5, 0, false, false, 0},
		{"100/s, another make", 1, 0, 0, false, false, 0},
		{"slow, another make", 20, 0, 0, false, false, 0},
		{"two datagrams, another make", 1 << 30, 0, 0, false, false, 0},
		{"two datagrams, another make, idle", 1 << 30, 0, 8 * time.Second, false, false, 0},
		{"fast, another make, idle", 0, 5, 8 * time.Second, false, false, 0},
		{"100/s, another make, idle", 1, 0, 8 * time.Second, false, false, 0},
		{"fast, another make, many ports", 0, 5, 0, false, false, 50},
		{"100/s, another make, many ports", 1, 0, 0, false, false, 50},
		{"100/s, another make, many ports, idle", 1, 0, 8 * time.Second, false, false, 50},
		{"fast, ours behind a NAT", 0, 5, 0, true, true, 0},
		{"100/s, ours behind a NAT, idle", 1, 0, 8 * time.Second, true, true, 0},
		{"fast, ours", 0, 5, 0, true, false, 0},
		{"100/s, ours, idle", 1, 0, 8 * time.Second, true, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, logged := observer.New(zap.WarnLevel)
				senders := &senderSink{}
				b := newBubble(t, Options{Sinks: []sink.Sink{senders}, Log: zap.New(log)})
				held := make(chan struct{})
				var captured uint32
				var mu sync.Mutex
				stats := 0 // answered with frames
				b.connect("10.0.0.2", func(a *testAgent) {
					a.list = []rpcap.Interface{testInterface("eth0", "10.0.0.2")}
					if tc.nat {
						a.list = []rpcap.Interface{testInterface("eth0", "192.168.7.7")}
					}
					a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
						<-held
						if tc.nat {
							return [][]byte{rpcap.StartCaptureReply{DataPort: 4999}.Append(nil)}
						}
						if tc.ours {
							return [][]byte{rpcap.StartCaptureReply{DataPort: 5000}.Append(nil)}
						}
						return [][]byte{rpcap.StartCaptureReply{}.Append(nil)}
					})
					a.on(rpcap.TypeStatsRequest, func([]byte) [][]byte {
						mu.Lock()
						defer mu.Unlock()
						if captured > 0 {
							stats++
						}
						return [][]byte{rpcap.StatsReply{IfRecv: captured, Captured: captured}.Append(nil)}
					})
				})
				b.feed(2003, falseSource, forged[:2]...) // before the answer
				close(held)
				synctest.Wait()
				next, out, sent := 2, 0, uint64(0)
				arrived, late := uint64(0), uint64(0) // the agent's frames at the second STATS
				for n := range int(length / tick) {
					var batch [][]byte
					for range tc.each {
						batch = append(batch, forged[next])
						next++
					}
					if tc.every > 0 && n%tc.every == tc.every-1 {
						batch = append(batch, forged[next])
						next++
					}
					if len(batch) > 0 {
						src := falseSource
						if tc.ports > 0 {
							src = fmt.Sprintf("10.0.0.2:%d", 7000+n%tc.ports)
						}
						b.feed(2003, src, batch...)
					}
					if time.Duration(n)*tick >= tc.idle {
						for want := uint64(n+1) * uint64(rate*tick/time.Second); sent+2 < want && out < len(d); out++ {
							last := lastFrame(d[out])
							mu.Lock()
							captured = last
							mu.Unlock()
							b.feed(2003, trueSource, d[out])
							sent = uint64(last)
						}
					}
					mu.Lock()
					if stats == 2 {
						stats++
						arrived, _ = senders.counts()
						late = sent
					}
					mu.Unlock()
					after(tick)
				}
				after(time.Second)
				p := b.peer()
				genuine, wrong := senders.counts()
				t.Logf("%d frames of the agent, %d forged ones went out, %d counted as forged, %d missing; received %d; after the second STATS %d of %d",
					genuine, wrong, p.Disowned, p.Received.Missing, p.Received.Frames, genuine-arrived, sent-late)
				if genuine-arrived+20 < sent-late || late == 0 {
					t.Errorf("%d of %d frames since the second STATS", genuine-arrived, sent-late)
				}
				if wrong != p.Disowned || p.Received.Frames != genuine || p.DataSource != netip.MustParseAddrPort(trueSource) {
					t.Errorf("%d forged frames went out, %d counted; %d of the agent went out, %d counted; from %v",
						wrong, p.Disowned, genuine, p.Received.Frames, p.DataSource)
				}
				if p.Received.Frames+p.Received.Missing+p.Unaccounted+20 < sent {
					t.Errorf("%d frames and %d missing of %d", p.Received.Frames, p.Received.Missing, sent)
				}
				warnings := logged.FilterMessageSnippet("another sender").All()
				if want := min(wrong, 1); len(warnings) != int(want) {
					t.Errorf("%d warnings of %d: %v", len(warnings), want, warnings)
				}
				for _, w := range warnings {
					if got := fmt.Sprint(w.ContextMap()["sender"]); got != falseSource && tc.ports == 0 {
						t.Errorf("the warning names %s", got)
					}
				}
				b.stop()
			})
		})
	}
}
