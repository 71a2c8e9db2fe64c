package agent

import (
	"context"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
)

// authenticate decides whether the sensor may give orders. A refusal is answered
// after authPause, and the sensor may try again on the same connection.
func (c *connection) authenticate(ctx context.Context, payload []byte) error {
	req, _, err := rpcap.ParseAuthRequest(payload)
	if err != nil {
		return c.refuse(rpcap.CodeAuth, "%v", err)
	}
	policy := c.session.agent.policy.Load()
	switch req.Type {
	case rpcap.AuthNull:
		if !policy.NullAuth {
			return c.refuseAuth(ctx, "null authentication is not permitted (NullAuthPermit in the agent's ini)")
		}
	case rpcap.AuthPassword:
		if !policy.Authenticate(req.User, req.Password) {
			return c.refuseAuth(ctx, "unknown user or wrong password")
		}
	default:
		return c.refuseAuth(ctx, "authentication type not supported; supported: null (0), password (1)")
	}
	c.authenticated = true
	c.session.setState(StateReady, "")
	c.session.say("sensor authenticated", zap.Bool("null", req.Type == rpcap.AuthNull))
	return c.write(rpcap.AuthReply{}.Append(c.out[:0]))
}

func (c *connection) refuseAuth(ctx context.Context, reason string) error {
	c.session.mu.Lock()
	c.session.status.AuthFailures++
	c.session.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(authPause):
	}
	return c.refuse(rpcap.CodeAuth, "%s", reason)
}
