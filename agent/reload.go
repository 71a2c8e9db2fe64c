package agent

import (
	"context"

	"go.uber.org/zap"

	"rpcapd/config"
)

// Reload puts a new configuration in force. Sessions whose line did not change
// go on untouched, those whose line is gone end (what they buffered is sent), new
// ones start. What is not per line (accounts, limits) holds from the next request on.
func (s *Supervisor) Reload(c config.Agent) {
	s.mu.Lock()
	s.enforce(&c)
	have := make(map[string][]*session)
	for _, x := range s.sessions {
		have[x.key()] = append(have[x.key()], x)
	}
	var keep, fresh []*session
	for _, x := range s.plan(&c) {
		if same := have[x.key()]; len(same) > 0 {
			same[0].moveTo(x.target)
			keep = append(keep, same[0])
			have[x.key()] = same[1:]
			continue
		}
		fresh = append(fresh, x)
	}
	var ended []*session
	for _, rest := range have {
		ended = append(ended, rest...)
	}
	s.sessions = append(keep, fresh...)
	s.changed()
	for _, x := range keep {
		x.resume()
	}
	run := s.run
	if run != nil && !s.ended {
		for _, x := range ended {
			x.cancel(errLineRemoved)
		}
		for _, x := range fresh {
			s.start(x)
		}
	}
	s.mu.Unlock()

	s.log.Info("configuration reloaded", zap.Int("kept", len(keep)), zap.Int("started", len(fresh)), zap.Int("ended", len(ended)))
	if len(keep)+len(fresh) == 0 {
		s.log.Warn(s.idleReason())
	}
	if run != nil {
		waitEnded(run, ended)
	}
}

// waitEnded returns when the sessions have sent what they had.
func waitEnded(ctx context.Context, ended []*session) {
	for _, x := range ended {
		if x.done == nil {
			continue
		}
		select {
		case <-x.done:
		case <-ctx.Done():
			return
		}
	}
}
