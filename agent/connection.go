package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// serveConnection answers requests until the connection, the session or the
// agent ends. A running capture is ended and sent out before it returns.
func (x *session) serveConnection(ctx context.Context) error {
	conn := x.conn
	peer, err := remote(conn)
	if err != nil {
		return err
	}
	c := &connection{
		session: x,
		log:     x.log,
		wire:    rpcap.NewConn(conn, rpcap.MaxRequestPayload),
		peer:    peer,
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.setHangUp(cancel)
	defer x.setHangUp(nil)
	// The reader has no deadline of its own. A sensor that does not take the answer, or
	// is in the middle of a message, gets no more time than partingLimit.
	stop := context.AfterFunc(ctx, func() {
		c.wire.Interrupt()
		time.AfterFunc(partingLimit, func() { conn.Close() })
	})
	defer stop()

	err = c.serve(ctx)
	c.part(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// serve reads one message after the other until the connection or ctx ends.
func (c *connection) serve(ctx context.Context) error {
	for {
		if ctx.Err() != nil { // what has already come would still be read
			return context.Cause(ctx)
		}
		if err := c.next(ctx, time.Time{}); err != nil {
			return err
		}
	}
}

// next waits for a message until the deadline, and answers it. The message is consumed to
// its last byte before.
func (c *connection) next(ctx context.Context, deadline time.Time) error {
	if err := c.wire.Await(deadline); err != nil {
		if errors.Is(err, io.EOF) {
			return c.hungUp()
		}
		return fmt.Errorf("wait for a request: %w", err)
	}
	h, payload, err := c.wire.ReadMessage(time.Now().Add(messageTimeout))
	if err != nil {
		return c.unreadable(h, err)
	}
	c.log.Debug("request", zap.Stringer("type", h.Type), zap.Uint32("payload", h.PayloadLen))
	if rpcap.EndsBeforeInstruction(h.Type, payload) {
		payload = c.wire.TakeInstruction(payload, time.Now().Add(instructionTimeout))
	}
	c.session.requested()
	return c.answer(ctx, h.Type, func() error { return c.handle(ctx, h, payload) })
}

// unreadable ends a connection whose stream can no longer be followed.
func (c *connection) unreadable(h rpcap.Header, err error) error {
	if errors.Is(err, rpcap.ErrPayloadTooLong) {
		_ = c.refuse(rpcap.CodeWrongMessage, "payload of %d bytes is more than any request has (%d)", h.PayloadLen, rpcap.MaxRequestPayload)
	}
	return fmt.Errorf("read request: %w", err)
}

// handle answers one message. An error ends the connection.
func (c *connection) handle(ctx context.Context, h rpcap.Header, payload []byte) error {
	if h.Version != rpcap.Version {
		return c.refuse(rpcap.CodeWrongVersion, "version %d is not supported, only %d", h.Version, rpcap.Version)
	}
	switch h.Type {
	case rpcap.TypeError:
		return c.peerError(h, payload)
	case rpcap.TypeClose:
		if !c.authenticated {
			return errors.New("closed by the sensor before authentication")
		}
		return errClosedBySensor
	}
	if !c.authenticated {
		if h.Type == rpcap.TypeAuthRequest {
			return c.authenticate(ctx, payload)
		}
		return c.refuse(rpcap.CodeWrongMessage, "%s before authentication", h.Type)
	}
	switch h.Type {
	case rpcap.TypeFindAllRequest:
		return c.findInterfaces()
	case rpcap.TypeOpenRequest:
		return c.open(payload)
	case rpcap.TypeSamplingRequest:
		return c.setSampling(payload)
	case rpcap.TypeStartCaptureRequest:
		return c.startCapture(ctx, payload)
	case rpcap.TypeUpdateFilterRequest:
		return c.updateFilter(payload)
	case rpcap.TypeStatsRequest:
		return c.stats()
	case rpcap.TypeEndCaptureRequest:
		return c.endCaptureRequest()
	case rpcap.TypeAuthRequest:
		return c.refuse(rpcap.CodeWrongMessage, "already authenticated")
	}
	return c.refuse(rpcap.CodeWrongMessage, "message type %s is not a request", h.Type)
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
