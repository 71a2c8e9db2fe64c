package sensor

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/test/wait"
)

// rival dials the sensor's data port without end, from the agent's address, and says what a rival would.
func rival(t *testing.T, port uint16, messages int) (stop func()) {
	t.Helper()
	quit := make(chan struct{})
	var wg sync.WaitGroup
	connected := make(chan struct{})
	wg.Go(func() {
		var open []net.Conn
		defer func() {
			for _, c := range open {
				c.Close()
			}
		}()
		for {
			c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				for i := range messages {
					c.Write(plainMessage(testFrames(1, 99)[0], uint32(i+1)))
				}
				open = append(open, c)
			}
			if len(open) == 3 {
				close(connected)
			}
			select {
			case <-quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	<-connected
	return sync.OnceFunc(func() { close(quit); wg.Wait() })
}

// TestTCPRival: somebody at the agent's address is connected to the data port before the agent, and goes on connecting. The
// agent's frames come out whole; of the rival's nothing does, or what did is disowned.
func TestTCPRival(t *testing.T) {
	for _, tc := range []struct {
		name     string
		announce bool
		messages int
		disowned bool
	}{
		{"ours", true, 3, false},
		{"ours, a silent rival", true, 0, false},
		{"another make", false, 3, true},
		{"another make, a silent rival", false, 0, false},
		{"another make, a rival that is ahead", false, 200, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}})
			conn, err := net.Dial("tcp", s.addr().String())
			if err != nil {
				t.Fatal(err)
			}
			a := newTestAgent(t, conn)
			a.list = []rpcap.Interface{testInterface("eth0", "127.0.0.1")}
			var data net.Conn
			var stop func()
			ready := make(chan struct{})
			a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
				stop = rival(t, a.start.DataPort, tc.messages)
				if data, err = net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", a.start.DataPort)); err != nil {
					t.Error(err)
				}
				reply := rpcap.StartCaptureReply{}
				if tc.announce {
					reply.DataPort = address.OfTCP(data.LocalAddr()).Port()
				}
				close(ready)
				return [][]byte{reply.Append(nil)}
			})
			go a.serve()
			t.Cleanup(func() { conn.Close(); <-a.done })
			<-ready
			defer stop()
			defer data.Close()
			const frames = 60
			for i, f := range testFrames(frames, 500) {
				if _, err := data.Write(plainMessage(f, uint32(i+1))); err != nil {
					t.Fatal(err)
				}
				a.setStats(rpcap.StatsReply{Captured: uint32(i + 1)}, rpcap.StatsReply{Captured: uint32(i + 1)})
				time.Sleep(50 * time.Millisecond)
			}
			wait.Until(t, "the agent's frames are in", func() bool { return s.Peers()[0].Received.Frames == frames })
			p := s.Peers()[0]
			if p.State != status.StateRunning || p.Received.Missing != 0 || (p.Disowned > 0) != tc.disowned ||
				p.DataSource != address.OfTCP(data.LocalAddr()) {
				t.Errorf("%+v", p)
			}
			stop()
			s.stop(t)
		})
	}
}
