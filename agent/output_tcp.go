package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// packetTCP sends PACKET messages back to back on a TCP data connection. A
// reader that is slower than the capture holds the forwarder up, so that the ring
// drops and counts; nothing is lost in between.
type packetTCP struct {
	conn    *net.TCPConn
	end     near
	buf     []byte // messages not written yet
	npkt    uint32
	hurried atomic.Bool

	frames, bytes, sends atomic.Uint64
}

// tcpBuffer is how much is gathered before a write: a few segments of TSO.
const tcpBuffer = 256 << 10

func openPacketTCP(ctx context.Context, to netip.AddrPort, e *exclusions) (output, error) {
	conn, end, err := dialData(ctx, to, e)
	if err != nil {
		return nil, err
	}
	return &packetTCP{conn: conn, end: end, buf: make([]byte, 0, tcpBuffer+rpcap.MaxSnaplen+64)}, nil
}

func (o *packetTCP) forward(frames []udpstr.Frame) error {
	for i := range frames {
		f := &frames[i]
		o.npkt++
		h := rpcap.PacketHeader{Sec: f.Sec, Usec: f.Usec, Caplen: uint32(len(f.Data)), Len: f.Len, Number: o.npkt}
		o.buf = append(h.Append(o.buf), f.Data...)
		if len(o.buf) >= tcpBuffer {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *packetTCP) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	limit := dataWriteTimeout
	if o.hurried.Load() {
		limit = drainTimeout
	}
	o.conn.SetWriteDeadline(time.Now().Add(limit))
	if o.hurried.Load() { // hurry may have come between the two: its deadline is the nearer one
		o.conn.SetWriteDeadline(time.Now().Add(drainTimeout))
	}
	n, err := o.conn.Write(o.buf)
	o.bytes.Add(uint64(n))
	o.sends.Add(1)
	if err != nil {
		return fmt.Errorf("send on data connection: %w", err)
	}
	o.frames.Store(uint64(o.npkt))
	o.buf = o.buf[:0]
	return nil
}

func (o *packetTCP) hurry() {
	o.hurried.Store(true)
	o.conn.SetWriteDeadline(time.Now().Add(drainTimeout))
}

func (o *packetTCP) count(n *Counters) {
	n.Datagrams += o.frames.Load()
	n.SentBytes += o.bytes.Load()
	n.Sends += o.sends.Load()
}

func (o *packetTCP) describe(*CaptureStatus) {}
func (o *packetTCP) format() string          { return "packet/tcp" }
func (o *packetTCP) near() near              { return o.end }
func (o *packetTCP) close()                  { o.conn.Close() }
