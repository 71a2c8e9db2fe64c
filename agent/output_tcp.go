package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// packetTCP sends PACKET messages back to back on a TCP data connection. A
// reader that is slower than the capture holds the forwarder up, so that the ring
// drops and counts; nothing is lost in between.
type packetTCP struct {
	conn    net.Conn
	end     near
	buf     []byte // messages not written yet
	npkt    uint32
	givenUp atomic.Bool

	frames, bytes, sends atomic.Uint64
	wakes                atomic.Uint64 // times that a write took something, or was waited for in vain
}

// tcpBuffer is how much is gathered before a write: a few segments of TSO.
const tcpBuffer = 256 << 10

// tcpStep is how much is written with one system call at most: all of the buffer when the reader is quick.
const tcpStep = tcpBuffer + rpcap.MaxSnaplen + 64

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
	if err := o.write(o.buf); err != nil {
		return fmt.Errorf("send on data connection: %w", err)
	}
	o.frames.Store(uint64(o.npkt))
	o.buf = o.buf[:0]
	return nil
}

// write sends all of b, as slowly as the reader takes it. It gives up when that has taken nothing for
// dataWriteTimeout, or, once the capture is to end, in drainTimeout. It counts each step, so that
// a slow reader is not taken for a forwarder that is stuck.
func (o *packetTCP) write(b []byte) error {
	last := time.Now()
	for {
		step, givenUp := dataWriteStep, o.givenUp.Load()
		if givenUp {
			step = drainTimeout
		}
		_ = o.conn.SetWriteDeadline(time.Now().Add(step)) // fails on a closed connection only, as Write does then
		if o.givenUp.Load() {                             // giveUp may have come between the two: its deadline is the nearer one
			_ = o.conn.SetWriteDeadline(time.Now().Add(drainTimeout))
		}
		n, err := o.conn.Write(b[:min(len(b), tcpStep)])
		o.wakes.Add(1)
		o.bytes.Add(uint64(n))
		b = b[n:]
		now := time.Now()
		if n > 0 {
			last = now
			o.sends.Add(1)
		}
		switch {
		case len(b) == 0 && err == nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded) && !givenUp && now.Sub(last) < dataWriteTimeout:
		case err != nil:
			return err
		}
	}
}

// moves is for the watchdog.
func (o *packetTCP) moves() uint64 { return o.wakes.Load() }

func (o *packetTCP) giveUp() {
	o.givenUp.Store(true)
	_ = o.conn.SetWriteDeadline(time.Now().Add(drainTimeout))
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
