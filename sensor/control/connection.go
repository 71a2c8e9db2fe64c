package control

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

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

// connection is a control connection: requests go out one at a time, a goroutine reads what comes and hands it over by a channel
// of one place. So the next message, and the end of the connection, is there to be heard whatever the session does with the
// last one. Its methods but run and close belong to the session's goroutine.
type connection struct {
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

func newConnection(conn *rpcap.Conn) *connection {
	return &connection{
		conn: conn, in: make(chan message, 1), gone: make(chan struct{}),
		abandoned: make(map[rpcap.Type]int),
	}
}

// limit puts the memory of long messages under a budget.
func (c *connection) limit(b *messageBudget, addr netip.Addr) {
	h := &halfRead{budget: b, addr: addr, close: func() { _ = c.conn.Close() }}
	c.conn.SetBudget(func(bytes int) error { return b.grow(h, bytes) })
	c.half = h
}

// unlimit gives back what is left of the budget.
func (c *connection) unlimit() {
	if c.half != nil {
		_ = c.half.budget.grow(c.half, 0) // nothing is asked for
	}
}

// run reads until the connection ends or close is called.
func (c *connection) run() {
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
func (c *connection) own(h rpcap.Header, payload []byte) []byte {
	switch {
	case len(payload) <= shortMessage:
		return bytes.Clone(payload)
	case rpcap.Type(c.awaited.Load()) == h.Type:
		return c.conn.Take()
	}
	return nil
}

// close ends run; it is called once.
func (c *connection) close() {
	close(c.gone)
	_ = c.conn.Close() // the connection is given up, whatever it says
}

// release gives back the memory of a long message, which is not used any more.
func (c *connection) release() {
	if c.long {
		c.long = false
		c.unlimit()
	}
}

// left reports whether the connection has ended other than because of what the agent sent. in is closed.
func (c *connection) left() bool { return !errors.Is(c.readErr, rpcap.ErrPayloadTooLong) }

// ended is the reason why the connection cannot be read any more.
func (c *connection) ended() error {
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
