package sensor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

const (
	// finishMessage bounds the time from the first byte of a message to its last.
	finishMessage = 30 * time.Second
	// writeTimeout bounds a write; requests are small, so only an agent that reads nothing gets there.
	writeTimeout = 10 * time.Second
	// shortMessage is up to how many bytes of payload a message is taken whatever it is. Longer ones, lists of interfaces, are
	// taken only as the reply that is waited for, and their memory is the budget's until the next request.
	shortMessage = 64 << 10
	// maxStrays bounds the messages of one session that answer nothing.
	maxStrays = 32
)

// errNoReply is wrapped when an agent does not answer in time.
var errNoReply = fmt.Errorf("no answer: %w", os.ErrDeadlineExceeded)

// captureError is an ERROR 9: the agent's capture has died. It can come at any time and answers no request.
type captureError struct {
	text    string
	orderly bool // the agent ends its session, and nothing is wrong
}

func (e *captureError) Error() string {
	if e.orderly {
		return e.text
	}
	return "the agent's capture ended: " + e.text
}

// orderly reports whether an error is the orderly end of the agent.
func orderly(err error) bool {
	e := (*captureError)(nil)
	return errors.As(err, &e) && e.orderly
}

// message is one message from the agent. Whoever has it owns the payload; that of a long message no session has waited for is
// nil.
type message struct {
	header  rpcap.Header
	payload []byte
}

// control is a control connection: requests go out one at a time, a goroutine reads what comes and hands it over by a channel
// of one place. So the next message, and the end of the connection, is there to be heard whatever the session does with the
// last one. Its methods but run and close belong to the session's goroutine.
type control struct {
	conn    *rpcap.Conn
	half    *halfRead     // nil: its memory is not limited
	in      chan message  // of one place, closed by run; readErr is set before
	gone    chan struct{} // closed by close
	awaited atomic.Uint32 // the rpcap.Type that may be long, 0 for none

	readErr   error
	long      bool               // the budget has the message that was taken last
	abandoned map[rpcap.Type]int // replies that may still come to requests given up on
	pair      bool               // an ERROR 16 came: ExtraHop's agent sends an ERROR 17 after it
	died      bool               // an ERROR 9 came
	strays    int
	lost      bool // the connection broke while a message was written
}

func newControl(conn *rpcap.Conn) *control {
	return &control{
		conn: conn, in: make(chan message, 1), gone: make(chan struct{}),
		abandoned: make(map[rpcap.Type]int),
	}
}

// limit puts the memory of long messages under a budget.
func (c *control) limit(b *messageBudget, addr netip.Addr) {
	h := &halfRead{budget: b, addr: addr, close: func() { _ = c.conn.Close() }}
	c.conn.SetBudget(func(bytes int) error { return b.grow(h, bytes) })
	c.half = h
}

// unlimit gives back what is left of the budget.
func (c *control) unlimit() {
	if c.half != nil {
		_ = c.half.budget.grow(c.half, 0) // nothing is asked for
	}
}

// run reads until the connection ends or close is called.
func (c *control) run() {
	defer close(c.in)
	defer c.unlimit()
	for {
		if err := c.conn.Await(time.Time{}); err != nil {
			c.readErr = err
			return
		}
		h, payload, err := c.conn.ReadMessage(time.Now().Add(finishMessage))
		if err != nil {
			c.readErr = err
			return
		}
		select {
		case c.in <- message{h, c.own(h, payload)}:
		case <-c.gone:
			return
		}
	}
}

// own makes a payload the receiver's.
func (c *control) own(h rpcap.Header, payload []byte) []byte {
	switch {
	case len(payload) <= shortMessage:
		return bytes.Clone(payload)
	case rpcap.Type(c.awaited.Load()) == h.Type:
		return c.conn.Take()
	}
	return nil
}

// close ends run; it is called once.
func (c *control) close() {
	close(c.gone)
	_ = c.conn.Close() // the connection is given up, whatever it says
}

// release gives back the memory of a long message, which is not used any more.
func (c *control) release() {
	if c.long {
		c.long = false
		c.unlimit()
	}
}

// left reports whether the connection has ended other than because of what the agent sent. in is closed.
func (c *control) left() bool { return !errors.Is(c.readErr, rpcap.ErrPayloadTooLong) }

// ended is the reason why the connection cannot be read any more.
func (c *control) ended() error {
	switch {
	case c.readErr == nil || errors.Is(c.readErr, io.EOF):
		return status.Caused(status.CauseConnection, "the agent closed the connection")
	case errors.Is(c.readErr, errGaveWay) || c.half != nil && c.half.gaveWay():
		return status.Caused(status.CauseProtocol, "read message: %w", errGaveWay)
	case errors.Is(c.readErr, net.ErrClosed):
		return status.Caused(status.CauseConnection, "it has never answered, and another agent wanted its place")
	case errors.Is(c.readErr, os.ErrDeadlineExceeded):
		return status.Caused(status.CauseConnection, "read message: not complete after %v", finishMessage)
	case errors.Is(c.readErr, rpcap.ErrPayloadTooLong):
		return status.Caused(status.CauseProtocol, "read message: %w", c.readErr)
	}
	return status.Caused(status.CauseConnection, "read message: %w", withoutAddresses(c.readErr))
}

// withoutAddresses takes the two ends out of an error of package net. Whoever reads it knows the agent, and its port is
// another one each time: the same error would look like a new one.
func withoutAddresses(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// send writes one encoded message.
func (c *control) send(msg []byte) error {
	if err := c.conn.WriteMessage(time.Now().Add(writeTimeout), msg); err != nil {
		c.lost = !errors.Is(err, os.ErrDeadlineExceeded)
		return status.Caused(status.CauseConnection, "write message: %w", withoutAddresses(err))
	}
	return nil
}

// request sends a message and waits for the reply of its type. An ERROR reply is returned as *rpcap.Error, an ERROR 9 as
// *captureError; both leave the connection in step. When the agent does not answer in time, or ctx ends, the reply may
// come later and is then skipped.
func (c *control) request(ctx context.Context, t rpcap.Type, msg []byte, timeout time.Duration) (message, error) {
	c.release()
	c.awaited.Store(uint32(t.Reply()))
	defer c.awaited.Store(0)
	if err := c.send(msg); err != nil {
		return message{}, err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case m, ok := <-c.in:
			if !ok {
				return message{}, c.ended()
			}
			if m.header.Type == t.Reply() && m.header.Version == rpcap.Version && len(m.payload) == int(m.header.PayloadLen) {
				c.pair, c.long = false, len(m.payload) > shortMessage
				return m, nil
			}
			agentErr, err := c.other(m)
			if errors.As(err, new(*captureError)) {
				c.abandoned[t.Reply()]++ // it may have been written already, with numbers that are not final
			}
			if err != nil {
				return message{}, err
			}
			if agentErr != nil {
				return message{}, agentErr
			}
		case <-timer.C:
			c.abandoned[t.Reply()]++
			return message{}, fmt.Errorf("%v: %w within %v", t, errNoReply, timeout)
		case <-ctx.Done():
			c.abandoned[t.Reply()]++
			return message{}, context.Cause(ctx)
		}
	}
}

// other judges a message that is not the reply waited for: an ERROR is returned, replies to abandoned requests and a few
// others are skipped, more than maxStrays end the session.
func (c *control) other(m message) (*rpcap.Error, error) {
	if m.header.Version != rpcap.Version {
		return nil, status.Caused(status.CauseProtocol, "read message: version %d instead of %d", m.header.Version, rpcap.Version)
	}
	if m.header.Type == rpcap.TypeError {
		e, err := rpcap.ParseError(m.header, m.payload)
		if err != nil {
			return nil, status.Caused(status.CauseProtocol, "read ERROR: %w", err)
		}
		switch {
		case e.Code == rpcap.CodeRead && c.died: // the session knows
			return nil, c.stray(m.header)
		case e.Code == rpcap.CodeRead:
			c.died = true
			return nil, &captureError{printable.Line(e.Text, rpcap.MaxErrorText), e.EndsSession()}
		case e.Code == rpcap.CodeWrongVersion && c.pair:
			c.pair = false
			return nil, nil
		}
		c.pair = e.Code == rpcap.CodeWrongMessage
		return e, nil
	}
	if c.abandoned[m.header.Type] > 0 {
		c.abandoned[m.header.Type]--
		return nil, nil
	}
	return nil, c.stray(m.header)
}

func (c *control) stray(h rpcap.Header) error {
	if c.strays++; c.strays > maxStrays {
		return status.Caused(status.CauseProtocol, "read message: %d messages that answer nothing, the last a %v", c.strays, h.Type)
	}
	return nil
}

// unsolicited judges a message that came while nothing was asked.
func (c *control) unsolicited(m message) (*rpcap.Error, error) {
	agentErr, err := c.other(m)
	if agentErr != nil {
		err = c.stray(m.header)
	}
	return agentErr, err
}
