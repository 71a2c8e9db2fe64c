package receive

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/address"
	"rpcapd/sensor/status"
)

// dataAcceptPause is the pause after an accept that failed, for want of descriptors mostly.
const dataAcceptPause = 100 * time.Millisecond

// listenTCPData listens on a port of the data range that is free for TCP.
func listenTCPData(o *Config, s *stream, log *zap.Logger) (*tcpData, error) {
	addr := o.Listen
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	var last error
	for i := range o.Data.Count {
		number := o.Data.First
		if number != 0 {
			number += uint16(i)
		}
		l, err := address.ListenTCP(netip.AddrPortFrom(addr, number))
		if err != nil {
			last = err
			continue
		}
		t := &tcpData{
			listener: l, port: address.OfTCP(l.Addr()).Port(), log: log, done: make(chan struct{}), quit: make(chan struct{}), stream: s,
		}
		t.changed = sync.NewCond(&t.mu)
		return t, nil
	}
	return nil, status.Caused(status.CauseTooMany, "no TCP port of the data range is free: %w", last)
}

// start begins to accept and read.
func (t *tcpData) start() { t.wg.Go(t.accept) }

// close ends everything and waits for it.
func (t *tcpData) close() {
	_ = t.listener.Close() // accept ends
	t.mu.Lock()
	if !t.closed {
		close(t.quit)
	}
	t.closed = true
	for _, c := range append(t.conns, t.spoiled...) {
		_ = c.conn.Close()
	}
	t.changed.Broadcast()
	t.mu.Unlock()
	t.wg.Wait()
}

// accept takes connections until the listener is closed.
func (t *tcpData) accept() {
	for {
		conn, err := t.listener.Accept()
		switch {
		case err == nil:
			t.admit(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			t.log.Debug("cannot accept a data connection", zap.Error(err))
			time.Sleep(dataAcceptPause)
		}
	}
}

// admit takes a connection in, once there is room, and begins to read it.
func (t *tcpData) admit(conn net.Conn) {
	c := &tcpConn{conn: conn, src: address.OfTCP(conn.RemoteAddr())}
	t.mu.Lock()
	defer t.mu.Unlock()
	stranger := c.src.Addr() != t.stream.agent
	for !stranger && len(t.conns) >= maxTCPConns && !t.decided && !t.closed {
		if t.source != 0 {
			t.drop(t.conns[0]) // not the agent's: that would have been decided
			continue
		}
		t.changed.Wait()
	}
	if stranger || t.decided || t.closed {
		_ = conn.Close()
		return
	}
	t.conns = append(t.conns, c)
	if t.source != 0 && c.src.Port() == t.source {
		t.decide(c)
	}
	t.wg.Go(func() { t.left(c, t.read(c)) })
}

// announced takes the port that the agent says it has dialled from; 0 if it has not said. translated tells that a NAT may have
// changed it.
func (t *tcpData) announced(port uint16, translated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known = true
	if !translated {
		t.source = port
	}
	for _, c := range t.conns {
		if t.source != 0 && c.src.Port() == t.source {
			t.decide(c)
			return
		}
	}
	t.changed.Broadcast() // accept may wait
	if t.source == 0 {
		t.begin()
	}
	t.wg.Go(t.grace)
}

// grace ends the stream of an agent whose connection does not show itself, or lets STATS decide when its port has been
// changed after all.
func (t *tcpData) grace() {
	timer := time.NewTimer(tcpGrace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.quit:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.source != 0 && !t.decided {
		t.source = 0
		t.begin()
	}
	if len(t.conns) == 0 {
		t.end(t.last)
	}
}

// left handles the end of a connection. That of the agent ends the stream, and nobody else's: while it is open who that is,
// the stream ends when no connection is left for a while.
func (t *tcpData) left(c *tcpConn, err error) {
	defer c.conn.Close()
	switch t.leave(c, err) {
	case leftBroken:
		// Closing would kill ExtraHop's agent, which has yet to get ENDCAP.
		_, _ = io.Copy(io.Discard, c.conn)
	case leftOpen:
		t.grace()
	}
}

// leaving is what is left to do for a connection that has ended.
type leaving uint8

const (
	leftDone   leaving = iota
	leftBroken         // it goes on in a form that cannot be read
	leftOpen           // the agent may come yet
)

func (t *tcpData) leave(c *tcpConn, err error) leaving {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || c.dropped {
		return leftDone
	}
	t.last = err
	spoiled := !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed)
	if t.decided || t.active == c && len(t.conns) == 1 {
		t.end(err)
	} else {
		if t.active == c {
			t.stream.refusePath() // others wait: it was none of the agent's
			t.active = nil
		}
		t.conns = slices.DeleteFunc(t.conns, func(o *tcpConn) bool { return o == c })
		t.release(c)
		t.changed.Broadcast()
		if t.known && t.source == 0 {
			t.begin()
		}
		if spoiled && len(t.spoiled) < maxTCPConns {
			t.spoiled = append(t.spoiled, c)
			if t.known {
				t.wg.Go(t.grace)
			}
			return leftBroken
		}
		if t.known {
			return leftOpen
		}
		return leftDone
	}
	if spoiled {
		return leftBroken
	}
	return leftDone
}
