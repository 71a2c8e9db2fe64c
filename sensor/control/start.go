package control

import (
	"cmp"
	"context"
	"errors"

	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// start prepares for the frames and asks for them. Whatever the data goes to is open before the request is sent.
func (s *session) start(ctx context.Context) (state, error) {
	s.setState(status.StateStarting, nil)
	r := s.chosen.Rule
	var bad error
	err := s.listening(ctx, func(ctx context.Context) {
		_, bad = s.server.compiler.CompileFor(ctx, r.Filter, s.linkType, s.chosen.Name)
	})
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, errStopped
	case bad != nil:
		return s.hold(s.list, retryInterval, status.Caused(status.CauseFilter, "rule %s, link type %d: %w", r.Name, s.linkType, bad), true), nil
	}
	if err := s.takeName(ctx); err != nil {
		return nil, err
	}
	c, soon, err := s.newCapture(r)
	if err != nil {
		wait := retryInterval
		if soon {
			wait = portPause
		}
		return s.hold(s.start, wait, err, false), nil
	}
	s.setCapture(c)
	program, bad, err := s.programFor(ctx, r, c)
	if err = cmp.Or(err, bad); err != nil {
		return s.startFailed(ctx, err)
	}
	req := rpcap.StartCaptureRequest{
		Snaplen: c.Source().Snaplen, ReadTimeout: readTimeout, Flags: s.startFlags(r), DataPort: c.Port(), Filter: program,
	}
	m, err := s.ctl.request(ctx, rpcap.TypeStartCaptureRequest, req.Append(nil), replyTimeout)
	reply := rpcap.StartCaptureReply{}
	if err == nil {
		reply, _, err = rpcap.ParseStartCaptureReply(m.payload)
	}
	if err == nil {
		c.Announced(reply.DataPort, s.translated())
		return s.running, nil
	}
	return s.startFailed(ctx, err)
}

// readTimeout is how long, in milliseconds, an agent's capture library may collect frames before it hands them over.
const readTimeout = 20

func (s *session) startFlags(r *rule.Rule) rpcap.StartCaptureFlags {
	flags := rpcap.FlagServerOpen | rpcap.FlagReportPort
	if r.Promiscuous {
		flags |= rpcap.FlagPromiscuous
	}
	if !r.TCP {
		flags |= rpcap.FlagDatagram
	}
	if s.singly {
		flags |= rpcap.FlagNoSegmentation
	}
	return flags
}

// startFailed gives the capture up. After an ERROR 6 ExtraHop's agent has left the filter in the stream and is out of
// step for good.
func (s *session) startFailed(ctx context.Context, err error) (state, error) {
	connected := s.capture.Connected()
	s.endCapture(status.TailUnknown, 0)
	agentErr := (*rpcap.Error)(nil)
	if ctx.Err() != nil || !errors.As(err, &agentErr) {
		return nil, s.stopped(ctx, err)
	}
	err = status.Caused(s.startCause(agentErr, connected), "the agent cannot start to capture on %s: %w", printable.Line(s.chosen.Name, 64), agentErr)
	if agentErr.Code == rpcap.CodeOpen {
		return nil, brokenError{err}
	}
	return s.hold(s.list, retryInterval, err, false), nil
}
