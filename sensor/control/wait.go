package control

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// event is what ends a wait.
type event uint8

const (
	eventTimer event = iota
	eventStop
	eventData   // the data connection has ended (TCP)
	eventReload // there are new rules
	eventAsk    // the stream may come from another port; STATS tell
	eventLate   // the answer to a request that was given up
)

// wait serves the connection until the given time, the sensor's stop or the end of the data connection. Probes are
// answered, messages that come unasked are judged.
func (s *session) wait(ctx context.Context, until time.Time) (event, error) {
	s.ctl.release()
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	var data, ask <-chan struct{}
	if s.capture != nil {
		data, ask = s.capture.Ended(), s.capture.StatsWanted()
	}
	if s.lateWanted {
		ask = nil // the agent does not answer
	}
	for {
		select {
		case <-timer.C:
			return eventTimer, nil
		case <-ctx.Done():
			return eventStop, nil
		case <-data:
			return eventData, nil
		case <-ask:
			return eventAsk, nil
		case <-s.reloads:
			return eventReload, nil
		case answer := <-s.probes:
			if err := s.answerProbe(ctx); err != nil {
				return 0, err
			}
			close(answer)
		case m, ok := <-s.ctl.in:
			late := s.lateWanted && s.ctl.abandoned[m.header.Type] > 0
			if err := s.heard(m, ok); err != nil {
				return 0, err
			}
			if late {
				return eventLate, nil
			}
		}
	}
}

// heard judges what has come unasked; ok is false at the end of the connection.
func (s *session) heard(m message, ok bool) error {
	if !ok {
		return s.ctl.ended()
	}
	agentErr, err := s.ctl.unsolicited(m)
	if err == nil && agentErr != nil {
		s.log.Debug("agent reports an error unasked", zap.Error(agentErr))
	}
	return err
}

// listening runs f, which may take seconds, and hears meanwhile what the agent says: its end ends f.
func (s *session) listening(ctx context.Context, f func(context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctl.release()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	for {
		select {
		case <-done:
			return nil
		case m, ok := <-s.ctl.in:
			if err := s.heard(m, ok); err != nil {
				cancel()
				<-done
				return err
			}
		}
	}
}

// answerProbe asks for STATS unless the agent has just answered; any reply proves it alive.
func (s *session) answerProbe(ctx context.Context) error {
	if time.Since(s.lastReply) < provenAlive {
		return nil
	}
	err := s.askStats(ctx, probeTimeout)
	if ctx.Err() != nil {
		return nil // wait returns next
	}
	return err
}

// probe asks the session to prove that its agent is alive. The channel is closed when it has, and stays open when the
// session cannot be asked; s.closed is closed when it has not.
func (s *session) probe() <-chan struct{} {
	answer := make(chan struct{})
	select {
	case s.probes <- answer:
	default:
		close(answer) // eight others ask already
	}
	return answer
}
