package control

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// errNotRunning is what Reload says once Serve has ended.
var errNotRunning = errors.New("reload rules: the sensor has stopped")

// Reload puts other rules and aliases in force; the rules have passed rule.Check. Nothing changes if it returns an error. One call
// follows the other, and Listen.
func (s *Server) Reload(ctx context.Context, rules []rule.Rule, aliases map[netip.Addr]string) error {
	if err := s.checkFilters(ctx, rules); err != nil {
		return err
	}
	next := rule.NewSet(rules)
	s.mu.Lock()
	old, listening, stopping := s.rules, s.listeners != nil, s.stopping
	s.mu.Unlock()
	if stopping {
		return errNotRunning
	}
	var opened map[uint16]*listener
	if listening { // otherwise Listen opens the ports
		var err error
		if opened, err = s.listen(next.NewPorts(old)); err != nil {
			return err
		}
	}
	s.names.setAliases(aliases)
	s.replaceRules(next, opened)
	for _, ss := range s.live(netip.Addr{}) {
		ss.reload()
	}
	return nil
}

// replaceRules serves the new listeners, unless Serve will do so, and closes those without a rule.
func (s *Server) replaceRules(next *rule.Set, opened map[uint16]*listener) {
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
		if s.serve != nil {
			s.serve(l)
		}
	}
}

// checkFilters compiles every filter for a link type on which it has a meaning, and for those of the agents that now
// have the rule of that name.
func (s *Server) checkFilters(ctx context.Context, rules []rule.Rule) error {
	inUse := make(map[string][]rule.Use)
	for _, ss := range s.live(netip.Addr{}) {
		if p := ss.snapshot(); p.State == status.StateRunning {
			inUse[p.Rule] = append(inUse[p.Rule], rule.Use{Peer: p.Name, LinkType: p.LinkType, Interface: p.Interface})
		}
	}
	return rule.CheckFilters(ctx, s.compiler, rules, inUse)
}

// listen opens one listener for each port. On an error none stays open.
func (s *Server) listen(ports []uint16) (map[uint16]*listener, error) {
	out := make(map[uint16]*listener)
	for _, port := range ports {
		tcp, err := s.open(netip.AddrPortFrom(s.addr, port))
		if err != nil {
			closeListeners(out)
			return nil, err
		}
		out[port] = &listener{server: s, tcp: tcp, port: port}
		s.log.Info("waiting for agents", zap.Stringer("address", tcp.Addr()))
	}
	return out, nil
}

func closeListeners(all map[uint16]*listener) {
	for _, l := range all {
		_ = l.tcp.Close() // its run ends, if it has one
	}
}
