package receive

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// read takes messages until the connection ends or is out of step. plen is modulo 65536 at both C agents; caplen holds.
func (t *tcpData) read(c *tcpConn) error {
	r := bufio.NewReaderSize(c.conn, 64<<10)
	buf := make([]byte, rpcap.PacketHeaderLen, 4096)
	limit := min(t.stream.source.Snaplen+vlanSlack, rpcap.MaxSnaplen)
	for {
		buf = buf[:rpcap.PacketHeaderLen]
		if _, err := io.ReadFull(r, buf[:rpcap.HeaderLen]); err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		if buf[0] == 0 && buf[1] == udpstr.Type {
			return errUDPStrOverTCP
		}
		if buf[0] != 0 || buf[1] != byte(rpcap.TypePacket) {
			return fmt.Errorf("read message: version %d, type %d is no PACKET", buf[0], buf[1])
		}
		if _, err := io.ReadFull(r, buf[rpcap.HeaderLen:]); err != nil {
			return fmt.Errorf("read packet header: %w", err)
		}
		caplen := be32(buf[16:])
		if caplen > limit {
			return fmt.Errorf("read packet header: caplen %d is above the snap length %d", caplen, t.stream.source.Snaplen)
		}
		if plen := be32(buf[4:]); uint16(plen) != uint16(udpstr.PacketHeaderLen+caplen) {
			return fmt.Errorf("read packet header: payload length %d does not agree with caplen %d", plen, caplen)
		}
		total := rpcap.PacketHeaderLen + int(caplen)
		if cap(buf) < total {
			buf = append(make([]byte, 0, total), buf...)
		}
		buf = buf[:total]
		if _, err := io.ReadFull(r, buf[rpcap.PacketHeaderLen:]); err != nil {
			return fmt.Errorf("read frame: %w", err)
		}
		if !t.take(c, buf) {
			return net.ErrClosed
		}
	}
}

// take gives a message to the stream, or holds it until it is known whose connection it is. It waits while the connection has
// used its share, and returns false when the connection was given up.
func (t *tcpData) take(c *tcpConn, b []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c != t.active && !c.dropped && !t.closed && c.bytes+len(b) > maxHeldOfConn {
		t.changed.Wait()
	}
	if c.dropped || t.closed && c != t.active {
		return false
	}
	c.count++
	c.last = be32(b[24:])
	if c != t.active {
		c.held = append(c.held, bytes.Clone(b))
		c.bytes += len(b)
		if t.known && t.source == 0 {
			t.begin()
		}
		return true
	}
	t.stream.message(b, time.Now())
	return true
}

// asked notes where the connections are before the agent is asked for STATS.
func (t *tcpData) asked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		c.marked = c.last
	}
}

// judge compares the connections with what the agent says it has captured. One that is ahead is not the agent's. Among
// several the one that is nearest to the agent's number at two STATS running is; a single one at the first.
func (t *tcpData) judge(captured uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known || t.source != 0 || t.decided || t.ended || captured == 0 {
		return
	}
	var best *tcpConn
	for _, c := range t.conns {
		if ahead := int32(c.marked-captured) > 0; !ahead && c.marked > 0 && (best == nil || c.marked > best.marked) {
			best = c
		}
	}
	if best == nil {
		t.makeRoom()
		return
	}
	for _, c := range slices.Clone(t.conns) {
		if int32(c.marked-captured) > 0 {
			if c == t.active {
				t.activate(best) // drops it
			} else {
				t.drop(c)
			}
		}
	}
	switch sure := t.leading == best && t.led != captured; {
	case len(t.conns) == 1 || sure:
		t.decide(best)
	default:
		t.leading, t.led = best, captured
	}
}

// makeRoom drops the connections that have sent nothing when there is no room for more. mu is held.
func (t *tcpData) makeRoom() {
	if len(t.conns) < maxTCPConns {
		return
	}
	for _, c := range slices.Clone(t.conns) {
		if c.marked == 0 {
			t.drop(c)
		}
	}
}

// contested reports whether several connections claim to be the agent's.
func (t *tcpData) contested() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known && !t.decided && len(t.conns) > 1
}
