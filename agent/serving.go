package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
)

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

// answer handles a request when the session's budget allows it, and charges what it has cost. The end of a running capture
// does not wait: it costs less than going on, and only the next STARTCAP makes another one possible.
func (c *connection) answer(ctx context.Context, t rpcap.Type, handle func() error) error {
	x := c.session
	spent, allowed := &x.requests, requestAllowance.each(x.agent)
	if t == rpcap.TypeStartCaptureRequest || t == rpcap.TypeEndCaptureRequest {
		spent, allowed = &x.captures, captureAllowance.each(x.agent)
	}
	prompt := c.parting || x.agent.unmetered || t == rpcap.TypeEndCaptureRequest && c.capture.running()
	if d := spent.debt(allowed, time.Now()); d > 0 && !prompt {
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	runtime.LockOSThread()
	last, before := c.capture, threadCPU()
	err := handle()
	measured := threadCPU() - before
	runtime.UnlockOSThread()
	ringBytes := 0
	if c.capture != nil && c.capture != last && x.agent.ifaces.file == "" {
		ringBytes = x.agent.policy.Load().RingBytes
	}
	spent.charge(requestCost(measured, ringBytes), allowed, time.Now())
	return err
}

// each is what one session may take of an allowance: sessions do not wait for each other, so they
// share evenly.
func (a allowance) each(s *Supervisor) allowance {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.share /= float64(max(1, len(s.sessions)))
	return a
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

// part ends a connection: what is captured is sent and the numbers are final. If it is
// this end that ends a running capture, the sensor is told with an ERROR 9 and has
// partingTime to ask for the numbers and to hang up.
func (c *connection) part(ctx context.Context) {
	running := c.capture.running()
	c.endCapture()
	if ctx.Err() == nil || !running {
		return
	}
	deadline := time.Now().Add(partingTime)
	e := rpcap.Error{Code: rpcap.CodeRead, Text: fmt.Sprintf("%s: %v", rpcap.SessionEnds, partingReason(ctx))}
	if c.write(e.Append(nil)) != nil {
		return
	}
	c.parting = true
	c.wire.Resume()
	for time.Now().Before(deadline) {
		if c.next(ctx, deadline) != nil { // the sensor has hung up, or the time is over
			return
		}
	}
}
