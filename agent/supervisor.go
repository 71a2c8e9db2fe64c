package agent

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
)

// New checks the options and prepares an agent. It starts nothing.
func New(o Options) (*Supervisor, error) {
	if o.Logger == nil {
		return nil, errors.New("create agent: no logger")
	}
	s := &Supervisor{
		opts:       o,
		log:        o.Logger.Named("agent"),
		started:    time.Now(),
		exclusions: newExclusions(o.Config.Datagram.Plain),
		statusNow:  make(chan struct{}, 1),
		statusSoon: make(chan struct{}, 1),
		shares:     make(map[string]*shared),
		pace:       &pace{},
	}
	ifaces, err := newInterfaces(o.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("create agent: %w", err)
	}
	s.ifaces = ifaces
	s.limits.shed.log = s.log
	s.enforce(&o.Config)
	s.settle(s.fixedWishes(&o.Config))
	if n := len(s.sessions) + len(s.selections); n > 1 && ifaces.pipe != nil {
		return nil, fmt.Errorf("create agent: %s can be read only once, and there are %d sensor lines; name one sensor, or save it to a file first", ifaces.name, n)
	}
	return s, nil
}

// enforce puts a configuration in force for everything but the sessions. mu is held, or nobody else knows the agent yet.
func (s *Supervisor) enforce(c *config.Agent) {
	s.policy.Store(c)
	s.limits.rate.set(c.MaxRate)
	s.limits.cpu.Store(int64(c.MaxCPU))
	s.ifaces.useRaw(c.RawDriver, s.log)
	s.ifaces.ignored.Store(&c.Ignore)
	s.selections = selectionsOf(c)
	for _, t := range c.Targets {
		if t.Disabled != "" {
			s.log.Warn("line disabled", zap.Int("line", t.Line), zap.String("reason", t.Disabled))
		}
	}
}

func (s *Supervisor) sayStarted() {
	if s.opts.Started != nil {
		s.opts.Started()
	}
}

func (s *Supervisor) idleReason() string {
	if s.opts.ConfigFile == "" {
		return "no sensor configured, waiting for a reload"
	}
	return fmt.Sprintf("no ActiveClient line in %s", s.opts.ConfigFile)
}

func (s *Supervisor) snapshot() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*session(nil), s.sessions...)
}
