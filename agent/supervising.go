package agent

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"rpcapd/capture"
	"rpcapd/iface"
)

// Run serves until ctx ends; then it sends what is buffered, closes all sessions
// and returns nil. It returns an error only if it could not begin.
func (s *Supervisor) Run(ctx context.Context) error {
	files, err := s.opts.RunDir.hold()
	if err != nil {
		s.log.Warn("no status files", zap.Error(err))
	}
	s.mu.Lock()
	if s.run != nil {
		s.mu.Unlock()
		return errors.New("run agent: already running")
	}
	ctx, s.finish = context.WithCancel(ctx)
	defer s.finish()
	s.run = ctx
	if s.empty() {
		s.log.Warn(s.idleReason())
	}
	for _, x := range s.sessions {
		s.start(x)
	}
	s.mu.Unlock()
	if now, err := s.ifaces.all(); err == nil { // without the list the watch begins what is missing
		s.reselect(now)
	}

	s.wg.Go(func() { s.watchInterfaces(ctx) })
	s.wg.Go(func() { s.watchDriver(ctx, capture.Driver) })
	if files != nil {
		s.wg.Go(func() { s.writeStatus(ctx, files) })
	} else {
		s.sayStarted()
	}
	<-ctx.Done()
	s.mu.Lock() // a reload that has begun finishes first; a later one starts nothing
	s.ended = true
	s.mu.Unlock()
	s.wg.Wait()
	s.limits.shed.close()
	if files != nil {
		files.close()
	}
	return nil
}

// start runs a session until the agent or the session ends. mu is held.
func (s *Supervisor) start(x *session) {
	ctx, cancel := context.WithCancelCause(s.run)
	x.cancel, x.done = cancel, make(chan struct{})
	s.wg.Go(func() {
		defer close(x.done)
		x.run(ctx)
		s.exclusions.remove(x)
		s.left(x)
		if x.served.Load() {
			s.allServed()
		}
	})
}

// empty tells whether the configuration makes no session. mu is held.
func (s *Supervisor) empty() bool { return len(s.sessions) == 0 && len(s.selections) == 0 }

// resized tells how many sessions there are now. mu is held.
func (s *Supervisor) resized() {
	if s.opts.Resized != nil {
		s.opts.Resized(len(s.sessions))
	}
}

// allServed is called when a session of a capture file has ended; the last one ends the agent.
func (s *Supervisor) allServed() {
	if !s.opts.ReadOnce {
		return
	}
	for _, x := range s.snapshot() {
		if !x.served.Load() {
			return
		}
	}
	s.log.Info("the capture file has been sent on all lines")
	s.finish()
}

// watchInterfaces tells the sessions when links or addresses change.
func (s *Supervisor) watchInterfaces(ctx context.Context) {
	if s.opts.ReadFile != "" {
		return
	}
	said := ""
	var before []iface.Interface
	iface.Watch(ctx, func() {
		now, err := s.ifaces.all()
		if err != nil {
			s.log.Debug("list interfaces after a change", zap.Error(err))
			return // a session that needs the list says so
		}
		s.exclusions.readdress(now)
		s.reselect(now)
		offered := s.ifaces.offered(now)
		up := cameUp(before, offered)
		before = offered
		for _, x := range s.snapshot() {
			x.interfacesChanged(now, up)
		}
	}, func(err error) {
		log := s.log.Debug
		if text := err.Error(); text != said {
			log, said = s.log.Warn, text
		}
		log("watching interfaces failed, trying again; changes may be noticed some seconds late", zap.Error(err))
	})
}
