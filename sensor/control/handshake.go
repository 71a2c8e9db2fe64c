package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// authenticate asks with the rules' credentials. A refusal is no reason to close: the agent would redial at once. Nor is
// it told why with an ERROR, which before authentication ends the session of every agent.
func (s *session) authenticate(ctx context.Context) (state, error) {
	s.setState(status.StateAuthenticating, nil)
	req := rpcap.AuthRequest{Type: rpcap.AuthNull}
	if r := s.rules[0]; r.User != "" {
		req = rpcap.AuthRequest{Type: rpcap.AuthPassword, User: r.User, Password: r.Password}
	}
	m, err := s.ctl.request(ctx, rpcap.TypeAuthRequest, req.Append(nil), replyTimeout)
	if err == nil || errors.As(err, new(*rpcap.Error)) {
		s.answered.Store(true)
	}
	if refused := (*rpcap.Error)(nil); errors.As(err, &refused) {
		return s.hold(s.authenticate, retryInterval, status.Caused(authCause(refused, s.rules[0]),
			"the agent refuses the credentials of rule %s: %w", s.rules[0].Name, refused), false), nil
	}
	if err != nil {
		return nil, s.stopped(ctx, err)
	}
	reply, _, err := rpcap.ParseAuthReply(m.payload)
	if err != nil {
		return nil, status.Caused(status.CauseProtocol, "read AUTH_REPLY: %w", err)
	}
	if !reply.Supports() {
		return nil, status.Caused(status.CauseProtocol, "read AUTH_REPLY: the agent speaks versions %d to %d, this sensor %d",
			reply.MinVersion, reply.MaxVersion, rpcap.Version)
	}
	s.authenticated = true
	s.server.probeOlder(s)
	return s.list, nil
}

// stopped replaces the error of a request that ctx has cut short.
func (s *session) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errStopped
	}
	return err
}

// list asks for the interfaces and chooses one.
func (s *session) list(ctx context.Context) (state, error) {
	s.setState(status.StateListing, nil)
	s.dropName()
	msg := rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest)
	m, err := s.ctl.request(ctx, rpcap.TypeFindAllRequest, msg, replyTimeout)
	agentErr := (*rpcap.Error)(nil)
	switch {
	case ctx.Err() != nil:
		return nil, errStopped
	case errors.Is(err, errNoReply):
		// ExtraHop's agent is silent when its list is too long; a rule that names one interface needs no list.
		for _, r := range s.rules {
			if name := r.Literal(); name != "" {
				s.chosen = rule.Choice{Rule: r, Name: name}
				return s.open, nil
			}
		}
		return s.hold(s.list, retryInterval, status.Caused(status.CauseConnection, "the agent does not answer the request for its interfaces; "+
			"name one in the rule if it has very many addresses"), true), nil
	case errors.As(err, &agentErr) && agentErr.AsksToProbe() && s.server.testCall != nil:
		return s.testCall, nil
	case errors.As(err, &agentErr):
		return s.hold(s.list, retryInterval, fmt.Errorf("the agent cannot list its interfaces: %w", agentErr), true), nil
	case err != nil:
		return nil, err
	}
	s.keepList(m.header, m.payload)
	list, _, err := rpcap.ParseInterfaceList(m.header.Value, m.payload)
	if err != nil {
		return nil, status.Caused(status.CauseProtocol, "read FINDALLIF_REPLY: %w", err)
	}
	s.named(list.AgentName())
	if s.chosen, err = rule.Choose(s.rules, list); err != nil {
		return s.hold(s.list, retryInterval, status.Caused(status.CauseNoInterface, "%w", err), true), nil
	}
	if note := rule.CutNote(list); note != "" && !s.chosen.Preselected && s.chosen.Rule.Literal() == "" {
		s.failed(fmt.Errorf("chosen: interface %s%s", printable.Line(s.chosen.Name, 64), note))
		s.log.Info("interface chosen from a list that was cut", zap.String("interface", s.chosen.Name), zap.Stringer("missing", list.LeftOut()))
	}
	return s.open, nil
}

// open asks for the link type.
func (s *session) open(ctx context.Context) (state, error) {
	s.setState(status.StateStarting, nil)
	c := &s.chosen
	m, err := s.ctl.request(ctx, rpcap.TypeOpenRequest, rpcap.OpenRequest{Name: c.Name}.Append(nil), replyTimeout)
	if agentErr := (*rpcap.Error)(nil); errors.As(err, &agentErr) {
		return s.hold(s.list, retryInterval, status.Caused(s.openCause(), "the agent cannot open interface %s: %w",
			printable.Line(c.Name, 64), agentErr), false), nil
	}
	if err != nil {
		return nil, s.stopped(ctx, err)
	}
	reply, _, err := rpcap.ParseOpenReply(m.payload)
	if err != nil {
		return nil, status.Caused(status.CauseProtocol, "read OPEN_REPLY: %w", err)
	}
	s.linkType = reply.LinkType
	if c.Rule.Sampling.Method != rpcap.SamplingNone {
		return s.sample, nil
	}
	return s.start, nil
}

// sample asks for sampling. Both C agents acknowledge and ignore it; one that refuses forwards everything.
func (s *session) sample(ctx context.Context) (state, error) {
	_, err := s.ctl.request(ctx, rpcap.TypeSamplingRequest, s.chosen.Rule.Sampling.Append(nil), replyTimeout)
	if agentErr := (*rpcap.Error)(nil); errors.As(err, &agentErr) {
		s.log.Warn("agent refuses to sample and forwards every frame", zap.Error(agentErr))
		s.failed(fmt.Errorf("the agent refuses to sample and forwards every frame: %w", agentErr))
		err = nil
	}
	if err != nil {
		return nil, s.stopped(ctx, err)
	}
	return s.start, nil
}

// hold returns the state that keeps the connection, without a request, for a while. If tell is set the agent is told
// why with an ERROR 11, which must not happen before authentication.
func (s *session) hold(next state, d time.Duration, why error, tell bool) state {
	return func(ctx context.Context) (state, error) {
		s.setState(status.StateHeld, why)
		if why.Error() != reason(s.heldFor) {
			s.heldFor = why
			s.failed(why)
			s.server.repeats.Once(s.log, s.repeatKey(why), zap.WarnLevel, "nothing is captured", zap.Error(why))
			if tell {
				e := rpcap.Error{Code: rpcap.CodeRemoteAccept, Text: why.Error()}
				if err := s.ctl.send(e.Append(nil)); err != nil {
					return nil, err
				}
			}
		}
		switch ev, err := s.wait(ctx, time.Now().Add(d)); {
		case err != nil:
			return nil, err
		case ev == eventStop:
			return nil, errStopped
		case ev == eventReload:
			return s.unwanted, nil
		}
		return next, nil
	}
}

// translated reports whether a NAT may lie between: the address that the agent is known by is none that it has listed.
func (s *session) translated() bool {
	for i := range s.listed.All() {
		for k := range i.Addresses {
			if addr, ok := i.Addresses[k].Addr.Addr(); ok && address.Plain(addr) == s.peer.Addr() {
				return false
			}
		}
	}
	return true
}

// unwanted goes on with the rules that hold now, or waits for some that want the agent. The connection stays: closed, an
// agent of the old kind would dial again at once.
func (s *session) unwanted(context.Context) (state, error) {
	switch {
	case !s.newRules():
		return s.hold(s.unwanted, retryInterval, errUnwanted, s.authenticated), nil
	case !s.authenticated:
		return s.authenticate, nil
	}
	return s.list, nil
}
