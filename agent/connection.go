package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
)

var (
	errClosedBySensor = errors.New("closed by the sensor")
	// errHungUp ends a session whose sensor asked for nothing any more: it stops, or starts anew.
	errHungUp = errors.New("connection closed by the sensor, no capture was running")
)

// connection is one control connection: what the sensor has said on it so far.
type connection struct {
	session *session
	log     *zap.Logger
	wire    *rpcap.Conn
	peer    netip.AddrPort

	authenticated bool
	opened        string // interface of the last good OPEN
	sampling      rpcap.SamplingRequest
	capture       *capturing       // the running or the last capture of this connection
	final         rpcap.StatsReply // numbers of the last capture, after it ended
	out           []byte           // reused for replies
	parting       bool             // the session ends: no capture begins any more
}

// unreadable ends a connection whose stream can no longer be followed.
func (c *connection) unreadable(h rpcap.Header, err error) error {
	if errors.Is(err, rpcap.ErrPayloadTooLong) {
		_ = c.refuse(rpcap.CodeWrongMessage, "payload of %d bytes is more than any request has (%d)", h.PayloadLen, rpcap.MaxRequestPayload)
	}
	return fmt.Errorf("read request: %w", err)
}

// peerError logs what the sensor complains about. Before authentication it means
// that the sensor does not want this agent.
func (c *connection) peerError(h rpcap.Header, payload []byte) error {
	e, err := rpcap.ParseError(h, payload)
	if err != nil {
		return fmt.Errorf("read error message: %w", err)
	}
	if !c.authenticated {
		return fmt.Errorf("refused by the sensor: %w", e)
	}
	c.session.complain("the sensor reports an error", e)
	return nil
}

// refuse answers with an ERROR message; the connection goes on.
func (c *connection) refuse(code rpcap.Code, format string, args ...any) error {
	e := &rpcap.Error{Code: code, Text: fmt.Sprintf(format, args...)}
	c.session.complain("request refused", e)
	return c.write(e.Append(c.out[:0]))
}

// reply sends an encoded message.
func (c *connection) write(msg []byte) error {
	c.out = msg
	if err := c.wire.WriteMessage(time.Now().Add(writeTimeout), msg); err != nil {
		return fmt.Errorf("answer the sensor: %w", err)
	}
	return nil
}

// acknowledge answers a request whose reply has no payload.
func (c *connection) acknowledge(t rpcap.Type) error {
	return c.write(rpcap.AppendEmpty(c.out[:0], t.Reply()))
}
