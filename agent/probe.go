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

// Probe connects to the sensor of a target as a session would, lets it authenticate under the policy and hangs up before
// anything is captured. It needs no right to capture. The error says what is in the way, and the result how far it came.
func Probe(ctx context.Context, t config.Target, policy *config.Agent) (Probed, error) {
	var p Probed
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", t.Address())
	if err != nil {
		return p, fmt.Errorf("not reached: %w", dialCause(err))
	}
	defer conn.Close() // nothing was promised to the sensor
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if p.Address, err = remote(conn); err != nil {
		return p, err
	}
	wire := rpcap.NewConn(conn, rpcap.MaxRequestPayload)
	h, payload, err := wire.ReadMessage(time.Now().Add(probeFirst))
	if err != nil {
		return p, probeSilence(err)
	}
	if h.Type != rpcap.TypeAuthRequest {
		return p, fmt.Errorf("its first message is %v, not AUTH_REQ: it is not a sensor that this agent supports", h.Type)
	}
	if err := probeAuth(payload, policy); err != nil {
		_ = wire.WriteMessage(time.Now().Add(probeNext), (&rpcap.Error{Code: rpcap.CodeAuth, Text: err.Error()}).Append(nil)) // it is told if it still listens
		return p, err
	}
	if err := wire.WriteMessage(time.Now().Add(probeNext), rpcap.AuthReply{}.Append(nil)); err != nil {
		return p, fmt.Errorf("answer AUTH_REQ: %w", err)
	}
	p.Authenticated = true
	h, payload, err = wire.ReadMessage(time.Now().Add(probeNext))
	var timeout net.Error
	switch {
	case err == nil && h.Type == rpcap.TypeError:
		refusal, err := rpcap.ParseError(h, payload)
		if err != nil {
			return p, fmt.Errorf("read ERROR: %w", err)
		}
		return p, fmt.Errorf("the sensor refuses this agent: %w", refusal)
	case err == nil && h.Type == rpcap.TypeClose:
		return p, errClosedBySensor
	case err == nil:
		p.Asked = true
	case errors.As(err, &timeout) && timeout.Timeout():
	default:
		return p, fmt.Errorf("the sensor closed the connection after it authenticated: %w", err)
	}
	// The sensor is told that this was all: otherwise it would show an agent that has left.
	e := rpcap.Error{Code: rpcap.CodeRead, Text: rpcap.SessionEnds + ": it was a test call"}
	_ = wire.WriteMessage(time.Now().Add(probeNext), e.Append(nil)) // what was to be found out is known
	return p, nil
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
