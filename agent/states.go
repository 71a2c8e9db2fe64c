package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/config"
)

// waitInterface holds a line whose interface does not exist: it never falls back
// to another one, so there is nothing to say to the sensor yet.
func (x *session) waitInterface(ctx context.Context) state {
	x.preselected = ""
	x.follow("", 0)
	if x.target.Select.IsZero() {
		return x.dial
	}
	for said := false; ; {
		list, err := x.agent.ifaces.list()
		if err != nil {
			x.complain("cannot look for the interface of this line", fmt.Errorf("list interfaces: %w", err))
		} else if i, ok := x.target.Select.First(list); ok {
			x.preselected = list[i].Name
			x.mu.Lock()
			x.status.Preselected = list[i].Name
			x.mu.Unlock()
			x.follow(list[i].Name, list[i].Index)
			return x.dial
		}
		x.setState(StateWaiting, "for "+x.target.Select.String())
		if !said {
			x.log.Warn("waiting for the interface of this line to appear", zap.Stringer("select", x.target.Select))
			said = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-x.changed:
		case <-time.After(backoffMax): // in case a change went unseen
		}
	}
}

// dial resolves the sensor anew and connects to the first address that answers.
func (x *session) dial(ctx context.Context) state {
	tries := false
	if x.shared != nil {
		var err error
		if tries, err = x.shared.gate.enter(ctx, x.heldBack); err != nil {
			return nil
		}
	}
	x.setState(StateConnecting, "")
	conn, err := x.connect(ctx)
	if x.shared != nil {
		x.shared.gate.dialed(tries, err, ctx.Err() != nil)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		x.reason = err
		return x.wait
	}
	x.conn = conn
	return x.serve
}

// serve answers the sensor until one of the two has enough.
func (x *session) serve(ctx context.Context) state {
	began := time.Now()
	x.mu.Lock()
	x.status.Connects++
	x.status.Address = x.conn.RemoteAddr().String()
	x.mu.Unlock()
	x.setState(StateConnected, "waiting for the sensor to authenticate")
	x.say("connected", zap.Stringer("address", x.conn.RemoteAddr()), zap.String("preselected", x.preselected))

	err := x.serveConnection(ctx)
	x.conn.Close()
	x.agent.exclusions.end(x.near)
	x.conn = nil
	x.pause.Ended(time.Since(began))
	if ctx.Err() != nil {
		x.say("session ended", zap.NamedError("reason", partingReason(ctx)))
		return nil
	}
	x.reason, x.delay = err, 0
	switch {
	case x.served.Load():
		x.log.Info("session ended: the capture file has been sent")
		return nil
	case errors.Is(err, errClosedBySensor) && x.agent.policy.Load().OnClose == config.CloseStop:
		return x.stopped
	case errors.Is(err, errClosedBySensor):
		x.delay = closedPause
	case errors.As(err, new(interfaceChange)):
		if x.once(err.Error()) {
			x.log.Info("dialing again", zap.Error(err))
		}
		return x.waitInterface
	}
	if x.shared != nil && x.delay == 0 {
		x.shared.gate.ended(time.Since(began))
	}
	return x.wait
}

// wait pauses before the next attempt.
func (x *session) wait(ctx context.Context) state {
	d := x.delay
	if d == 0 && x.shared == nil {
		d = x.pause.Pause()
	}
	x.delay = 0
	detail := nextAttempt(time.Now().Add(d))
	if errors.Is(x.reason, errClosedBySensor) || errors.Is(x.reason, errHungUp) { // no error: a sensor may stop
		x.say("session ended by the sensor, dialing again", zap.NamedError("reason", x.reason))
		detail = x.reason.Error() + "; " + detail
	} else {
		x.complain("session failed, dialing again", x.reason)
	}
	if d == 0 { // dial waits with all others for this sensor
		return x.waitInterface
	}
	x.setState(StateBackoff, detail)
	if backoff.Wait(ctx, d) != nil {
		return nil
	}
	return x.waitInterface
}

func nextAttempt(at time.Time) string { return "next attempt at " + at.Format(time.TimeOnly) }

// heldBack shows that the sensor cannot be used at present.
func (x *session) heldBack(until time.Time) {
	detail := nextAttempt(until)
	if !until.After(time.Now()) {
		detail = "another session tries to reach the sensor"
	}
	x.setState(StateBackoff, detail)
}

// stopped holds a session whose sensor said CLOSE, with OnClose = stop, until a
// reload or the end of the agent.
func (x *session) stopped(ctx context.Context) state {
	for len(x.resumed) > 0 {
		<-x.resumed
	}
	x.setState(StateStopped, "closed by the sensor; reload to dial again")
	x.log.Info("closed by the sensor, not dialing again until a reload", zap.String("OnClose", "stop"))
	select {
	case <-ctx.Done():
		return nil
	case <-x.resumed:
		return x.waitInterface
	}
}

func (x *session) run(ctx context.Context) {
	for next := x.waitInterface; next != nil && ctx.Err() == nil; {
		next = next(ctx)
	}
	if x.conn != nil {
		x.conn.Close()
	}
	x.setState(StateStopped, "")
}
