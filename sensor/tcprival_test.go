package sensor

import (
	"fmt"
	"net"
	"net/netip"
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

// heldOf is how many bytes are held of the connection with this other end.
func (t *tcpData) heldOf(other net.Conn) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		if c.src == address.OfTCP(other.LocalAddr()) {
			return c.bytes
		}
	}
	return 0
}

// TestTCPShares: before STARTCAP is answered somebody at the agent's address sends more than is held of one connection. The
// agent's own connection is read nevertheless.
func TestTCPShares(t *testing.T) {
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}})
	conn, err := net.Dial("tcp", s.addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a := newTestAgent(t, conn)
	a.list = []rpcap.Interface{testInterface("eth0", "127.0.0.1")}
	big := testFrames(1, 60_000)[0]
	var tcp *tcpData
	var data, other net.Conn
	a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
		to := fmt.Sprintf("127.0.0.1:%d", a.start.DataPort)
		other, _ = net.Dial("tcp4", to)
		go func() {
			for i := range 4 * maxTCPConns * maxHeldOfConn / len(big.Data) {
				if _, err := other.Write(plainMessage(big, uint32(i+1))); err != nil {
					return
				}
			}
		}()
		for _, ss := range s.live(netip.Addr{}) {
			ss.mu.Lock()
			tcp = ss.live.tcp
			ss.mu.Unlock()
		}
		wait.Until(t, "its share is full", func() bool { return tcp.heldOf(other) > maxHeldOfConn-100_000 })
		data, _ = net.Dial("tcp4", to)
		data.Write(plainMessage(big, 1))
		wait.Until(t, "the agent is read", func() bool { return tcp.heldOf(data) > 0 })
		return [][]byte{rpcap.StartCaptureReply{DataPort: address.OfTCP(data.LocalAddr()).Port()}.Append(nil)}
	})
	go a.serve()
	t.Cleanup(func() { conn.Close(); <-a.done })
	<-a.started
	wait.Until(t, "the agent's frame is in, and no other", func() bool { return s.Peers()[0].Received.Frames == 1 })
	if p := s.Peers()[0]; p.Disowned != 0 || p.DataSource != address.OfTCP(data.LocalAddr()) {
		t.Errorf("%+v", p)
	}
	other.Close()
	data.Close()
	s.stop(t)
}

// TestTCPHeldIsBounded: what waits for STATS is not more than it may be, and nothing of the agent's is lost for that.
func TestTCPHeldIsBounded(t *testing.T) {
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}})
	var data, other net.Conn
	a := dialAgent(t, s, func(a *testAgent) {
		a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
			to := fmt.Sprintf("127.0.0.1:%d", a.start.DataPort)
			other, _ = net.Dial("tcp4", to)
			other.Write(plainMessage(testFrames(1, 60)[0], 1))
			time.Sleep(50 * time.Millisecond) // it is the first one
			data, _ = net.Dial("tcp4", to)
			return [][]byte{rpcap.StartCaptureReply{}.Append(nil)}
		})
	})
	<-a.started
	wait.Until(t, "the capture runs", func() bool { return s.Peers()[0].State == status.StateRunning })
	defer other.Close()
	defer data.Close()
	const frames = 300
	big := testFrames(1, 60_000)[0]
	written := make(chan error, 1)
	go func() {
		for i := range frames { // 18 MB
			if _, err := data.Write(plainMessage(big, uint32(i+1))); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	tcp := func() *tcpData {
		for ss := range s.sessions {
			return ss.capture.tcp
		}
		return nil
	}()
	wait.Until(t, "its share is full", func() bool {
		held := tcp.heldOf(data)
		if held > maxHeldOfConn {
			t.Fatalf("%d bytes are held", held)
		}
		return held > maxHeldOfConn-100_000
	})
	a.setStats(rpcap.StatsReply{Captured: frames}, rpcap.StatsReply{Captured: frames})
	wait.Until(t, "STATS are asked for", func() bool { return a.asked(rpcap.TypeStatsRequest) > 0 })
	a.setStats(rpcap.StatsReply{Captured: frames + 1}, rpcap.StatsReply{Captured: frames})
	wait.Until(t, "all has come", func() bool { return s.Peers()[0].Received.Frames == frames })
	if err := <-written; err != nil {
		t.Error(err)
	}
	s.stop(t)
}
