package sensor

import (
	"net"
	"testing"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/test/wait"
)

// TestTCPDataDies: a data connection is reset, or the agent is gone with both. What it had captured, as far as it has said so,
// has come or is missing.
func TestTCPDataDies(t *testing.T) {
	const came = 40
	for _, tc := range []struct {
		name            string
		captured, final uint32
		gone            bool // the control connection breaks too
		sum             uint64
		tail            status.Tail
	}{
		{"reset, and the agent tells its final numbers", 50, 60, false, 60, status.TailKnown},
		{"reset, an agent of another make", 60, 0, false, 60, status.TailAtLeast},
		{"the agent is gone", 50, 0, true, 50, status.TailUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}})
			a := dialAgent(t, s)
			a.setStats(rpcap.StatsReply{Captured: tc.captured}, rpcap.StatsReply{Captured: tc.final})
			data := a.export("tcp4")
			for i, f := range testFrames(came, 500) {
				if _, err := data.Write(plainMessage(f, uint32(i+1))); err != nil {
					t.Fatal(err)
				}
			}
			wait.Until(t, "the frames are in and STATS are known", func() bool {
				p := s.Peers()[0]
				return p.Received.Frames == came && p.Forwarded.Known
			})
			if tc.gone {
				a.conn.Close()
			}
			_ = data.(*net.TCPConn).SetLinger(0) // a reset
			data.Close()
			var end status.Peer
			wait.Until(t, "the capture has ended", func() bool {
				for _, p := range s.Peers() {
					if p.State == status.StateEnded {
						end = p
					}
				}
				return end.State == status.StateEnded
			})
			if got := end.Received.Frames + end.Received.Missing; got != tc.sum || end.Tail != tc.tail {
				t.Errorf("%d frames, %d missing, tail %v", end.Received.Frames, end.Received.Missing, end.Tail)
			}
			s.stop(t)
		})
	}
}
