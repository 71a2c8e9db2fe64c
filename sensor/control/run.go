package control

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"

	"rpcapd/sensor/status"
)

// run works through the states. It returns when the connection is closed and the capture's last datagrams are in.
func (s *session) run(ctx context.Context) {
	var reader sync.WaitGroup
	reader.Go(s.ctl.run)
	s.log.Debug("agent connected")
	var err error
	for next := state(s.authenticate); next != nil && err == nil; {
		next, err = next(ctx)
	}
	s.freeName()
	close(s.closed)
	s.setState(status.StateEnding, err)
	silent := !s.answered.Load() && !errors.Is(err, errStopped)
	if err != nil && !silent && !errors.Is(err, errStopped) && !orderly(err) && !s.isTest() {
		s.failed(err)
	}
	if errors.As(err, new(*captureError)) {
		s.captureDied()
	}
	s.endCapture(status.TailUnknown, 0)
	s.pause(ctx, err)
	s.ctl.close()
	reader.Wait()
	s.setState(status.StateEnded, err)
	if silent {
		s.neverAnswered(err)
		return
	}
	level := zap.WarnLevel
	switch news := s.remember(err); {
	case errors.Is(err, errStopped), orderly(err) && news:
		level = zap.InfoLevel
	case !news:
		// The same again, of an agent that comes and goes.
		s.log.Debug("session ended", zap.String("reason", reason(err)))
		return
	}
	s.server.repeats.Some(s.log, s.peer.Addr().String()+" ended", maxTurns, level, "session ended", zap.String("reason", reason(err)))
}

// neverAnswered notes the end of a connection that may never have been an agent's: a port scanner, a health check, a program
// of another protocol. It leaves no peer behind.
func (s *session) neverAnswered(err error) {
	s.server.mu.Lock()
	s.server.counters.Silent++
	s.server.mu.Unlock()
	s.server.repeats.Once(s.log, s.repeatKey(err), zap.InfoLevel, "connection ended before the other side answered anything",
		zap.String("reason", reason(err)))
}

// remember keeps the status of a session that has never captured, so that the summary says why. It reports whether the
// end is worth a line of the log.
func (s *session) remember(err error) (news bool) {
	if s.isTest() { // it leaves nothing behind
		return false
	}
	if s.captured || orderly(err) && s.heldFor == nil { // nor does one that hangs up at once
		return true
	}
	st := s.snapshot()
	if errors.Is(err, errStopped) {
		st.Reason, st.Cause = reason(s.heldFor), sessionCause(s.heldFor)
	}
	return s.server.history.Add(st)
}
