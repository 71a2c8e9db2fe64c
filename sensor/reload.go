package sensor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// errNotRunning is what Reload says once Run has ended.
var errNotRunning = errors.New("reload rules: the sensor has stopped")

// ruleSet is one generation of rules. It is immutable; sessions point into it.
type ruleSet struct {
	all   []*Rule
	ports []uint16 // distinct, in the order of the rules
}

func newRuleSet(rules []Rule) *ruleSet {
	rs := &ruleSet{}
	for _, r := range slices.Clone(rules) {
		rs.all = append(rs.all, &r)
		if !slices.Contains(rs.ports, r.Port) {
			rs.ports = append(rs.ports, r.Port)
		}
	}
	return rs
}

// of returns the rules of one port, in order.
func (rs *ruleSet) of(port uint16) (out []*Rule) {
	for _, r := range rs.all {
		if r.Port == port {
			out = append(out, r)
		}
	}
	return out
}

// Reload puts other rules and aliases in force while agents are connected. Nothing changes if it returns an error: a
// filter that tcpdump refuses for Ethernet or for the link type of an agent that it would go to, a port that cannot be
// opened. Otherwise each session goes on as far as it can:
//
//	only the filter of its rule has changed      UPDATEFILTER; the stream does not stop
//	another rule, interface or way to capture    STATS, ENDCAP, and on the same connection a new STARTCAP
//	no rule wants the agent any more             STATS, ENDCAP; the connection is held, as for any unwanted agent
//
// An alias is used from an agent's next capture on. ctx bounds the compilation of filters.
func (s *Sensor) Reload(ctx context.Context, rules []Rule, aliases map[netip.Addr]string) error {
	if err := checkRules(rules); err != nil {
		return err
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if err := s.checkFilters(ctx, rules); err != nil {
		return err
	}
	next := newRuleSet(rules)
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
	opened, err := s.listen(newPorts(old, next))
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

// newPorts are those that only the next rules have.
func newPorts(old, next *ruleSet) (out []uint16) {
	for _, port := range next.ports {
		if !slices.Contains(old.ports, port) {
			out = append(out, port)
		}
	}
	return out
}

// replaceRules begins to serve the new listeners and closes those without a rule.
func (s *Sensor) replaceRules(next *ruleSet, opened map[uint16]*listener, serve func(*listener)) {
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
		if !slices.Contains(next.ports, port) {
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

// RuleError is a filter that cannot be used, and its rule. New and Reload join those of all rules.
type RuleError struct {
	Rule string // its name
	Err  error
}

func (e *RuleError) Error() string { return "rule " + e.Rule + ": " + e.Err.Error() }

func (e *RuleError) Unwrap() error { return e.Err }

// checkFilters compiles every filter for a link type on which it has a meaning, and for those of the agents that now
// have the rule of that name.
func (s *Sensor) checkFilters(ctx context.Context, rules []Rule) error {
	s.compiler.ForgetRefusals()
	inUse := make(map[string][]status.Peer) // by rule
	for _, ss := range s.live(netip.Addr{}) {
		if p := ss.snapshot(); p.State == status.StateRunning {
			inUse[p.Rule] = append(inUse[p.Rule], p)
		}
	}
	var errs []error
	for _, r := range rules {
		if err := s.compiler.Check(ctx, r.Filter); err != nil {
			errs = append(errs, &RuleError{r.Name, err})
			continue
		}
		for _, p := range inUse[r.Name] {
			if _, err := s.compiler.CompileFor(ctx, r.Filter, p.LinkType, p.Interface); err != nil {
				errs = append(errs, &RuleError{r.Name, fmt.Errorf("link type %d of %s: %w", p.LinkType, p.Name, err)})
				break // one agent is enough
			}
		}
	}
	return errors.Join(errs...)
}

// rulesOf returns the rules that an agent at addr may use on a port, all with the same credentials.
func (s *Sensor) rulesOf(port uint16, addr netip.Addr) []*Rule {
	s.mu.Lock()
	rs := s.rules
	s.mu.Unlock()
	return usable(rs.of(port), addr)
}
