package agent

import (
	"context"
	"maps"
	"slices"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/iface"
)

// Reload puts a new configuration in force. Sessions whose line did not change
// go on untouched, and those of interfaces that a line still means; those whose line is gone end (what they buffered is sent), new
// ones start. What is not per line (accounts, limits) holds from the next request on.
func (s *Supervisor) Reload(c config.Agent) {
	now, err := s.ifaces.all()
	if err != nil {
		s.log.Warn("cannot list the interfaces: sessions for several interfaces begin when the list can be had", zap.Error(err))
	}
	s.mu.Lock()
	renamed := s.policy.Load().SensorName != c.SensorName
	s.enforce(&c)
	kept, fresh, ended := s.settle(s.choose(s.ifaces.offered(now)))
	s.forgetShares()
	s.changed()
	for _, x := range kept {
		x.resume()
		x.reconsider(now, renamed)
	}
	run := s.run
	if run != nil && !s.ended {
		for _, x := range ended {
			s.leave(x, s.whyEnded(x, now))
		}
		for _, x := range fresh {
			s.start(x)
		}
		s.lookAgain()
	}
	s.resized()
	idle := s.empty()
	s.mu.Unlock()

	s.log.Info("configuration reloaded", zap.Int("kept", len(kept)), zap.Int("started", len(fresh)), zap.Int("ended", len(ended)))
	if idle {
		s.log.Warn(s.idleReason())
	}
	if run != nil {
		waitEnded(run, ended)
	}
}

// whyEnded tells why a session is not one of the new configuration. mu is held.
func (s *Supervisor) whyEnded(x *session, now []iface.Interface) error {
	if !x.several || s.shares[x.status.Sensor] == nil {
		return errLineRemoved
	}
	return whyGone(x.target.Select.Name, now)
}

// forgetShares drops what belongs to sensors without a line that means several interfaces. mu is held.
func (s *Supervisor) forgetShares() {
	maps.DeleteFunc(s.shares, func(sensor string, _ *shared) bool {
		return !slices.ContainsFunc(s.selections, func(line *selection) bool { return line.sensor == sensor })
	})
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
