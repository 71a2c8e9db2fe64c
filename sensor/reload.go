package sensor

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// errNotRunning is what Reload says once Run has ended.
var errNotRunning = errors.New("reload rules: the sensor has stopped")

// Reload puts other rules and aliases in force while agents are connected. Nothing changes if it returns an error: a
// filter that tcpdump refuses for Ethernet or for the link type of an agent that it would go to, a port that cannot be
// opened. Otherwise each session goes on as far as it can:
//
//	only the filter of its rule has changed      UPDATEFILTER; the stream does not stop
//	another rule, interface or way to capture    STATS, ENDCAP, and on the same connection a new STARTCAP
//	no rule wants the agent any more             STATS, ENDCAP; the connection is held, as for any unwanted agent
//
// An alias is used from an agent's next capture on. ctx bounds the compilation of filters.
func (s *Sensor) Reload(ctx context.Context, rules []rule.Rule, aliases map[netip.Addr]string) error {
	if err := rule.Check(rules); err != nil {
		return err
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if err := s.checkFilters(ctx, rules); err != nil {
		return err
	}
	next := rule.NewSet(rules)
	s.mu.Lock()
	old, serve, stopping := s.rules, s.serve, s.stopping
	s.mu.Unlock()
	if stopping {
		return errNotRunning
	}
	if serve == nil { // Run will open the ports
		s.mu.Lock()
		s.rules = next
		s.mu.Unlock()
		s.names.setAliases(aliases)
		return nil
	}
	opened, err := s.listen(next.NewPorts(old))
	if err != nil {
		return err
	}
	s.names.setAliases(aliases)
	s.replaceRules(next, opened, serve)
	for _, ss := range s.live(netip.Addr{}) {
		ss.reload()
	}
	return nil
}

// replaceRules begins to serve the new listeners and closes those without a rule.
func (s *Sensor) replaceRules(next *rule.Set, opened map[uint16]*listener, serve func(*listener)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		for _, l := range opened {
			_ = l.tcp.Close()
		}
		return
	}
	s.rules = next
	for port, l := range s.listeners {
		if !slices.Contains(next.Ports, port) {
			s.log.Info("no longer waiting for agents", zap.Stringer("address", l.tcp.Addr()))
			_ = l.tcp.Close() // its run ends
			delete(s.listeners, port)
		}
	}
	for port, l := range opened {
		s.listeners[port] = l
		serve(l)
	}
}

// checkFilters compiles every filter for a link type on which it has a meaning, and for those of the agents that now
// have the rule of that name.
func (s *Sensor) checkFilters(ctx context.Context, rules []rule.Rule) error {
	inUse := make(map[string][]rule.Use)
	for _, ss := range s.live(netip.Addr{}) {
		if p := ss.snapshot(); p.State == status.StateRunning {
			inUse[p.Rule] = append(inUse[p.Rule], rule.Use{Peer: p.Name, LinkType: p.LinkType, Interface: p.Interface})
		}
	}
	return rule.CheckFilters(ctx, s.compiler, rules, inUse)
}

// rulesOf returns the rules that an agent at addr may use on a port, all with the same credentials.
func (s *Sensor) rulesOf(port uint16, addr netip.Addr) []*rule.Rule {
	s.mu.Lock()
	rs := s.rules
	s.mu.Unlock()
	return rs.Usable(port, addr)
}
