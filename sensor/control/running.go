package control

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/sensor/status"
)

const (
	// silence is how long the connection is kept after an answer has not come in time: an agent that was stopped, or whose host
	// was suspended, then goes on, and says what it has lost meanwhile.
	silence = 20 * time.Second
	// maxTurns is how many starts, and as many ends, of captures are told of one address in an hour.
	maxTurns = 16
)

// running supervises a capture.
func (s *session) running(ctx context.Context) (state, error) {
	s.setState(status.StateRunning, nil)
	if s.heldFor != nil {
		s.server.repeats.Forget(s.repeatKey(s.heldFor))
		s.heldFor = nil
	}
	s.server.repeats.Some(s.log, s.peer.Addr().String()+" starts", maxTurns, zap.InfoLevel, "forwarding starts", zap.String("peer", s.capture.Shown()),
		zap.String("rule", s.chosen.Rule.Name), zap.Uint32("linktype", s.linkType), zap.Uint16("port", s.capture.Port()))
	s.idle, s.idleAt, s.down = 0, 0, nil
	if s.chosen.Down {
		s.interfaceIs(status.Caused(status.CauseInterfaceDown, "interface %s of the agent is down", printable.Name(s.chosen.Name)))
	}
	return s.supervise, nil
}

// supervise asks for STATS and does what they call for.
func (s *session) supervise(ctx context.Context) (state, error) {
	begun := time.Now()
	next, looked := begun.Add(statsInterval), begun
	for {
		until := next
		every, contested := s.capture.Contested()
		if soon := looked.Add(every); soon.Before(next) && (time.Since(begun) < statsInterval || contested) {
			until = soon
		}
		switch ev, err := s.wait(ctx, until); {
		case err != nil:
			return nil, err
		case ev == eventStop:
			return s.ending, nil
		case ev == eventData:
			return s.dataEnded, nil
		case ev == eventReload:
			if next, err := s.reloaded(ctx); next != nil || err != nil {
				return next, err
			}
			continue // STATS stay due when they were
		case ev == eventTimer && until.Equal(next):
			next = next.Add(statsInterval)
		default:
			every, contested := s.capture.Contested()
			if ev == eventAsk && time.Since(looked) < every {
				continue
			}
			if !contested {
				looked = time.Now()
				continue
			}
		}
		looked = time.Now()
		err := s.askStats(ctx, statsTimeout)
		if err == nil {
			err = s.watchInterface(ctx)
		}
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, errNoReply):
			return s.silent(err), nil
		default:
			return nil, err
		}
		if !s.singly && s.capture.Starved() {
			return s.startSingly, nil
		}
	}
}

// silent returns the state that waits for an answer that has not come in time. Frames are taken as before. If another session
// of the address comes, the agent has begun anew, and this one ends.
func (s *session) silent(why error) state {
	return func(ctx context.Context) (state, error) {
		s.setState(status.StateHeld, why)
		s.failed(why)
		s.server.repeats.Once(s.log, s.repeatKey(why), zap.WarnLevel, "the agent does not answer; its connection is kept for a while",
			zap.Error(why), zap.Duration("for", silence))
		s.lateWanted = true
		until, again := time.Now().Add(silence), false
		ev, err := s.wait(ctx, until)
		for ; err == nil && (ev == eventReload || ev == eventAsk); ev, err = s.wait(ctx, until) {
			again = again || ev == eventReload // what is new waits until the agent can be asked
		}
		s.lateWanted = false
		if again {
			s.reload()
		}
		switch {
		case err != nil:
			return nil, err
		case ev == eventStop:
			return s.ending, nil
		case ev == eventData:
			return s.dataEnded, nil
		case ev != eventLate:
			return nil, why
		}
		s.server.repeats.Some(s.log, s.peer.Addr().String()+" answers", maxTurns, zap.InfoLevel, "the agent answers again",
			zap.String("peer", s.capture.Shown()))
		s.setState(status.StateRunning, s.down)
		if err := s.askStats(ctx, statsTimeout); err != nil && ctx.Err() == nil {
			return nil, err
		}
		return s.supervise, nil
	}
}

// startSingly begins the capture anew, without super-packets: under a tenth of the frames has arrived, and some firewalls and
// network cards drop what segmentation offload makes, silently. It happens once in a session.
func (s *session) startSingly(context.Context) (state, error) {
	s.singly = true
	s.log.Warn("hardly anything arrives; the capture begins anew and the agent sends single datagrams",
		zap.String("peer", s.capture.Shown()), zap.Uint16("port", s.capture.Port()))
	if err := s.stopCapture(); err != nil {
		return nil, err
	}
	return s.open, nil
}

// reloaded goes on with a running capture under new rules: as it is, with another filter, or with its end.
func (s *session) reloaded(ctx context.Context) (next state, err error) {
	if !s.newRules() {
		s.log.Info("forwarding ends: the rule was removed", zap.String("rule", s.chosen.Rule.Name))
		if err := s.stopCapture(); err != nil {
			return nil, err
		}
		return s.unwanted, nil
	}
	if c, ok := s.chosenAgain(); ok {
		return nil, s.updateFilter(ctx, c)
	}
	s.log.Info("forwarding ends and begins anew: the rules have changed", zap.String("rule", s.chosen.Rule.Name))
	if err := s.stopCapture(); err != nil {
		return nil, err
	}
	return s.list, nil
}
