package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
)

const (
	// probeFirst bounds the wait for the sensor's first request: it speaks first.
	probeFirst = 5 * time.Second
	// probeNext bounds the wait for its next one. A sensor that has authenticated goes on at once; one that waits for
	// something else is fine, too.
	probeNext = 2 * time.Second
)

// Probed is how far a probe of a sensor came.
type Probed struct {
	Address       netip.AddrPort // what the host name stands for
	Authenticated bool
	Asked         bool // it asked for the list of interfaces, so it is ready to give rules
}

// Call is a test call: a session with a sensor that offers nothing.
type Call struct {
	Probed
	Local     netip.AddrPort // the near end
	Took      time.Duration  // to connect
	conn      net.Conn
	wire      *rpcap.Conn
	forgotten func() bool // stops waiting for ctx
}

// Probe connects to the sensor of a target as a session would, lets it authenticate under the policy and hangs up before
// anything is captured. It needs no right to capture. The error says what is in the way, and the result how far it came.
func Probe(ctx context.Context, t config.Target, policy *config.Agent) (Probed, error) {
	c, err := Dial(ctx, t.Address(), dialTimeout)
	if err != nil {
		return Probed{}, err
	}
	defer c.Abandon()
	if err = c.Authenticate(policy); err == nil {
		c.Close()
	}
	return c.Probed, err
}

// Dial opens a test call to a sensor within a time. It ends with ctx.
func Dial(ctx context.Context, address string, within time.Duration) (*Call, error) {
	d := net.Dialer{Timeout: within}
	begun := time.Now()
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("not reached: %w", dialCause(err))
	}
	c := &Call{conn: conn, wire: rpcap.NewConn(conn, rpcap.MaxRequestPayload), Took: time.Since(begun)}
	c.forgotten = context.AfterFunc(ctx, func() { conn.Close() })
	if c.Address, err = remote(conn); err != nil {
		c.Abandon()
		return nil, err
	}
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		c.Local = netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	}
	return c, nil
}

// Authenticate lets the sensor authenticate, and waits for its next request.
func (c *Call) Authenticate(policy *config.Agent) error {
	h, payload, err := c.wire.ReadMessage(time.Now().Add(probeFirst))
	if err != nil {
		return probeSilence(err)
	}
	if h.Type != rpcap.TypeAuthRequest {
		return fmt.Errorf("its first message is %v, not AUTH_REQ: it is not a sensor that this agent supports", h.Type)
	}
	if err := probeAuth(payload, policy); err != nil {
		_ = c.wire.WriteMessage(time.Now().Add(probeNext), (&rpcap.Error{Code: rpcap.CodeAuth, Text: err.Error()}).Append(nil)) // it is told if it still listens
		return err
	}
	if err := c.wire.WriteMessage(time.Now().Add(probeNext), rpcap.AuthReply{}.Append(nil)); err != nil {
		return fmt.Errorf("answer AUTH_REQ: %w", err)
	}
	c.Authenticated = true
	h, payload, err = c.wire.ReadMessage(time.Now().Add(probeNext))
	var timeout net.Error
	switch {
	case err == nil && h.Type == rpcap.TypeError:
		refusal, err := rpcap.ParseError(h, payload)
		if err != nil {
			return fmt.Errorf("read ERROR: %w", err)
		}
		return fmt.Errorf("the sensor refuses this agent: %w", refusal)
	case err == nil && h.Type == rpcap.TypeClose:
		return errClosedBySensor
	case err == nil:
		c.Asked = h.Type == rpcap.TypeFindAllRequest
	case errors.As(err, &timeout) && timeout.Timeout():
	default:
		return fmt.Errorf("the sensor closed the connection after it authenticated: %w", err)
	}
	return nil
}

// ErrNoProbes says that a sensor answers no probes: it is of another make, or an earlier version.
var ErrNoProbes = errors.New("it answers no probes")

// AskToProbe asks the sensor which data ports answer probes. Asked is set before.
func (c *Call) AskToProbe() (rpcap.ProbeOffer, error) {
	ask := rpcap.Error{Code: rpcap.CodeFindAll, Text: rpcap.AsksToProbe + ", which offers no interface: which data ports may it probe?"}
	if err := c.wire.WriteMessage(time.Now().Add(probeNext), ask.Append(nil)); err != nil {
		return rpcap.ProbeOffer{}, fmt.Errorf("ask for data ports: %w", err)
	}
	h, payload, err := c.wire.ReadMessage(time.Now().Add(probeNext))
	if err != nil {
		return rpcap.ProbeOffer{}, fmt.Errorf("%w (%w)", ErrNoProbes, err)
	}
	answer, err := rpcap.ParseError(h, payload)
	if err != nil {
		return rpcap.ProbeOffer{}, fmt.Errorf("%w: its answer is %v", ErrNoProbes, h.Type)
	}
	offer, ok := rpcap.ParseProbeOffer(answer)
	if !ok {
		return rpcap.ProbeOffer{}, fmt.Errorf("%w: its answer is %w", ErrNoProbes, answer)
	}
	return offer, nil
}

// Close tells the sensor that this was all, and hangs up: otherwise it would show an agent that has left.
func (c *Call) Close() {
	e := rpcap.Error{Code: rpcap.CodeRead, Text: rpcap.SessionEnds + ": it was a test call"}
	_ = c.wire.WriteMessage(time.Now().Add(probeNext), e.Append(nil)) // what was to be found out is known
	c.Abandon()
}

// Abandon closes the connection without a word.
func (c *Call) Abandon() {
	c.forgotten()
	c.conn.Close()
}

// probeSilence explains a connection on which no request came.
func probeSilence(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("it accepts the connection and sends nothing for %v: check that a sensor listens on this port and accepts this host", probeFirst)
	}
	return fmt.Errorf("it closes the connection at once: check that a sensor listens on this port and accepts this host: %w", err)
}

// probeAuth decides like a session, and tells what to do about a refusal.
func probeAuth(payload []byte, policy *config.Agent) error {
	req, _, err := rpcap.ParseAuthRequest(payload)
	if err != nil {
		return err
	}
	switch req.Type {
	case rpcap.AuthNull:
		if !policy.NullAuth {
			return errors.New("the sensor sends no password, and the ini requires one: to accept it, set NullAuthPermit = YES")
		}
	case rpcap.AuthPassword:
		if !policy.Authenticate(req.User, req.Password) {
			return fmt.Errorf("the sensor's password for account %q is not the one in the ini: rpcapd passwd %s creates the line", req.User, req.User)
		}
	default:
		return fmt.Errorf("the sensor uses an authentication type (%d) that this agent does not support", req.Type)
	}
	return nil
}
