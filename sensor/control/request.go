package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// send writes one encoded message.
func (c *connection) send(msg []byte) error {
	if err := c.conn.WriteMessage(time.Now().Add(writeTimeout), msg); err != nil {
		c.lost = !errors.Is(err, os.ErrDeadlineExceeded)
		return status.Caused(status.CauseConnection, "write message: %w", withoutAddresses(err))
	}
	return nil
}

// request sends a message and waits for the reply of its type. An ERROR reply is returned as *rpcap.Error, an ERROR 9 as
// *captureError; both leave the connection in step. When the agent does not answer in time, or ctx ends, the reply may
// come later and is then skipped.
func (c *connection) request(ctx context.Context, t rpcap.Type, msg []byte, timeout time.Duration) (message, error) {
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
func (c *connection) other(m message) (*rpcap.Error, error) {
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

func (c *connection) stray(h rpcap.Header) error {
	if c.strays++; c.strays > maxStrays {
		return status.Caused(status.CauseProtocol, "read message: %d messages that answer nothing, the last a %v", c.strays, h.Type)
	}
	return nil
}

// unsolicited judges a message that came while nothing was asked.
func (c *connection) unsolicited(m message) (*rpcap.Error, error) {
	agentErr, err := c.other(m)
	if agentErr != nil {
		err = c.stray(m.header)
	}
	return agentErr, err
}
