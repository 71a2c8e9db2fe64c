package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"

	"go.uber.org/zap"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// maxKeptList is the longest interface list, in bytes, that a session keeps to judge new rules with. An agent with a
// longer one is asked again, for which its capture has to be ended.
const maxKeptList = 16 << 10

// errUnwanted is why the connection of an agent is held that no rule is for.
var errUnwanted = status.Caused(status.CauseAddress, "no rule of this port allows its address any more")

// reload tells the session that there are new rules. It does not wait.
func (s *session) reload() {
	select {
	case s.reloads <- struct{}{}:
	default: // it knows already
	}
}

// keepList remembers the interfaces for the next reload.
func (s *session) keepList(header rpcap.Header, payload []byte) {
	s.listed = rpcap.InterfaceList{}
	if len(payload) > maxKeptList {
		return
	}
	if list, _, err := rpcap.ParseInterfaceList(header.Value, bytes.Clone(payload)); err == nil {
		s.listed = list
	}
}

// newRules takes over the rules that hold from now on. wanted is false if none is for this agent; then the old ones
// stay, for the names in messages.
func (s *session) newRules() (wanted bool) {
	rules := s.server.rulesOf(s.port, s.peer.Addr())
	if len(rules) == 0 {
		return false
	}
	s.rules = rules
	return true
}

// chosenAgain tells whether the new rules lead to the same capture but for its filter, and gives the choice with the new
// rule.
func (s *session) chosenAgain() (rule.Choice, bool) {
	old := s.chosen
	if s.listed.Len() == 0 { // the agent does not tell, or tells too much
		for _, r := range s.rules {
			if r.SameCapture(old.Rule) && r.SameInterfaces(old.Rule) {
				old.Rule = r
				return old, true
			}
		}
		return rule.Choice{}, false
	}
	c, err := rule.Choose(s.rules, s.listed)
	return c, err == nil && c.Name == old.Name && c.Rule.SameCapture(old.Rule)
}

// updateFilter gives the agent the filter of the same rule as it is now. One that cannot be had leaves the old one in
// force; the session's status says so.
func (s *session) updateFilter(ctx context.Context, c rule.Choice) error {
	if c.Rule.Filter == s.capture.Source().Filter {
		s.chosen = c
		return nil
	}
	program, bad, err := s.programFor(ctx, c.Rule, s.capture)
	switch {
	case err != nil:
		return err
	case bad != nil:
		return s.filterStays(ctx, status.Caused(status.CauseFilter, "rule %s, link type %d: %w", c.Rule.Name, s.linkType, bad))
	}
	if err := s.askStats(ctx, statsTimeout); err != nil { // the numbers up to here belong to the old filter
		return s.unlessStopped(ctx, err)
	}
	_, err = s.ctl.request(ctx, rpcap.TypeUpdateFilterRequest, rpcap.UpdateFilterRequest{Filter: program}.Append(nil), replyTimeout)
	if agentErr := (*rpcap.Error)(nil); errors.As(err, &agentErr) {
		return s.filterStays(ctx, status.Caused(status.CauseFilterRefused, "the agent refuses the new filter: %w", agentErr))
	}
	if err != nil {
		return s.unlessStopped(ctx, err)
	}
	s.chosen = c
	s.capture.Refilter(c.Rule.Filter)
	s.setState(status.StateRunning, nil)
	s.mu.Lock()
	s.status.Filter = c.Rule.Filter
	s.mu.Unlock()
	s.log.Info("filter replaced", zap.String("peer", s.capture.Shown()), zap.String("rule", c.Rule.Name),
		zap.String("filter", c.Rule.Filter))
	return nil
}

// filterStays reports that the agent goes on with the old filter.
func (s *session) filterStays(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return nil // running ends the capture
	}
	s.log.Warn("the old filter stays in force", zap.Error(why))
	s.setState(status.StateRunning, fmt.Errorf("the old filter stays in force: %w", why))
	s.failed(why)
	return nil
}

// unlessStopped is nil when the sensor stops: then running ends the capture in order.
func (s *session) unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// programFor makes a rule's filter while the agent is listened to; bad says why there is none, err that the session ends.
func (s *session) programFor(ctx context.Context, r *rule.Rule, c Capture) (p rpcap.Program, bad, err error) {
	err = s.listening(ctx, func(ctx context.Context) { p, bad = s.program(ctx, r, c) })
	return p, bad, err
}

// program is a rule's filter as the agent gets it.
func (s *session) program(ctx context.Context, r *rule.Rule, c Capture) (rpcap.Program, error) {
	p, err := s.server.compiler.CompileFor(ctx, r.Filter, s.linkType, s.chosen.Name)
	if err != nil {
		return nil, err
	}
	// Whatever the interface is: the export may pass a mirror port that has none of the agent's addresses.
	whole, err := rule.ExcludeOwn(p, s.linkType, filter.Endpoint{
		Addr: s.local.Addr(), Control: s.local.Port(), Data: c.OwnPorts(),
	}, c.Source().Snaplen)
	if err != nil && !errors.Is(err, filter.ErrLinkType) { // of which nobody knows where ports are
		s.server.repeats.Once(s.log, s.repeatKey(err), zap.WarnLevel, "an agent of another make may forward its own export: the filter of the rule is too long to leave that out; "+
			"shorten it, or let the agent capture an interface that does not carry it", zap.String("rule", r.Name), zap.Error(err))
	}
	return whole, nil
}

// rulesOf returns the rules that an agent at addr may use on a port, all with the same credentials.
func (s *Server) rulesOf(port uint16, addr netip.Addr) []*rule.Rule {
	s.mu.Lock()
	rs := s.rules
	s.mu.Unlock()
	return rs.Usable(port, addr)
}
