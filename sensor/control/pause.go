package control

import (
	"context"
	"errors"
	"time"

	"rpcapd/sensor/status"
)

// brokenError marks an end after which the agent is out of step; the connection is held longer.
type brokenError struct{ error }

func (e brokenError) Unwrap() error { return e.error }

// pause delays the closing of a connection that the agent has not closed itself.
func (s *session) pause(ctx context.Context, err error) {
	hold := minSession - time.Since(s.since)
	if errors.As(err, new(brokenError)) {
		hold = brokenHold
	}
	if err == nil || orderly(err) || errors.Is(err, errNoReply) || s.ctl.lost || s.agentLeft() || hold <= 0 {
		return
	}
	s.setState(status.StateHeld, err)
	timer := time.NewTimer(hold)
	defer timer.Stop()
	in := s.ctl.in
	for n := 0; ; {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case _, ok := <-in:
			if !ok && s.ctl.left() {
				return
			}
			if n++; !ok || n > maxStrays {
				in = nil // it cannot be followed, or says too much
			}
		}
	}
}

// agentLeft reports whether the connection is at its end.
func (s *session) agentLeft() bool {
	select {
	case _, ok := <-s.ctl.in:
		return !ok && s.ctl.left()
	default:
		return false
	}
}
