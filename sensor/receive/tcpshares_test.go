package receive

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/test/wait"
)

// tcpCapture begins a capture over TCP of an agent at the loopback address.
func tcpCapture(t *testing.T) *Capture {
	t.Helper()
	loopback := netip.MustParseAddr("127.0.0.1")
	hub, err := sink.NewHub([]sink.Sink{&collector{}}, nil, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Listen: loopback, Data: DataPorts{Count: 4}, Limits: testLimits, Hub: hub, Log: zap.NewNop()})
	c, err := r.Begin(sink.Source{
		Host: "127.0.0.1", Agent: loopback, Interface: "eth0", LinkType: 1, Snaplen: rpcap.MaxSnaplen,
	}, true, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.End(status.TailUnknown, 0)
		r.Close()
	})
	return c
}

// dial opens a data connection.
func (c *Capture) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", c.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// peer is what the status shows of the capture.
func (c *Capture) peer() (st status.Peer) {
	c.Fill(&st)
	return st
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
	c := tcpCapture(t)
	big := testFrames(1, 60_000)[0]
	other := c.dial(t)
	go func() {
		for i := range 4 * maxTCPConns * maxHeldOfConn / len(big.Data) {
			if _, err := other.Write(plainMessage(big, uint32(i+1))); err != nil {
				return
			}
		}
	}()
	wait.Until(t, "its share is full", func() bool { return c.tcp.heldOf(other) > maxHeldOfConn-100_000 })
	data := c.dial(t)
	if _, err := data.Write(plainMessage(big, 1)); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the agent is read", func() bool { return c.tcp.heldOf(data) > 0 })
	c.Announced(address.OfTCP(data.LocalAddr()).Port(), false)
	wait.Until(t, "the agent's frame is in, and no other", func() bool { return c.peer().Received.Frames == 1 })
	if p := c.peer(); p.Disowned != 0 || p.DataSource != address.OfTCP(data.LocalAddr()) {
		t.Errorf("%+v", p)
	}
}

// TestTCPHeldIsBounded: what waits for STATS is not more than it may be, and nothing of the agent's is lost for that.
func TestTCPHeldIsBounded(t *testing.T) {
	c := tcpCapture(t)
	other := c.dial(t)
	if _, err := other.Write(plainMessage(testFrames(1, 60)[0], 1)); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "it is the first one", func() bool { return c.tcp.heldOf(other) > 0 })
	data := c.dial(t)
	c.Announced(0, false) // an agent of another make
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
	wait.Until(t, "its share is full", func() bool {
		held := c.tcp.heldOf(data)
		if held > maxHeldOfConn {
			t.Fatalf("%d bytes are held", held)
		}
		return held > maxHeldOfConn-100_000
	})
	for captured := range uint32(2) { // two STATS agree with it
		c.Asked()
		c.Answered(rpcap.StatsReply{Captured: frames + captured}, time.Millisecond)
	}
	wait.Until(t, "all has come", func() bool { return c.peer().Received.Frames == frames })
	if err := <-written; err != nil {
		t.Error(err)
	}
}
