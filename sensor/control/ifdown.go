package control

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// idleStats is after how many STATS running without a new frame the agent is asked for its interfaces again: one that is down
// or gone captures nothing, and the agent need not say so.
const idleStats = 2

// watchInterface notes after STATS whether the interface of a capture that stands still is down or gone.
func (s *session) watchInterface(ctx context.Context) error {
	r, ok := s.capture.LastReport()
	if !ok || r.IfRecv != s.idleAt {
		s.idleAt, s.idle = r.IfRecv, 0
		s.interfaceIs(nil)
		return nil
	}
	if s.idle++; s.idle%idleStats != 0 || s.listed.Len() == 0 { // an agent with a long list may not answer
		return nil
	}
	m, err := s.ctl.request(ctx, rpcap.TypeFindAllRequest, rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest), statsTimeout)
	switch {
	case errors.As(err, new(*rpcap.Error)) || errors.Is(err, errNoReply):
		return nil
	case err != nil:
		return err
	}
	list, _, err := rpcap.ParseInterfaceList(m.header.Value, m.payload)
	if err != nil {
		return status.Caused(status.CauseProtocol, "read FINDALLIF_REPLY: %w", err)
	}
	s.interfaceIs(interfaceDown(list, s.chosen.Name))
	s.keepList(m.header, m.payload)
	return nil
}

// interfaceDown says that an interface is down or gone, by the agent's list; nil if it is neither, or if that cannot be told.
func interfaceDown(list rpcap.InterfaceList, name string) error {
	flagged, there, up := false, false, false
	for i := range list.All() {
		flagged = flagged || i.Flags&rpcap.InterfaceUp != 0
		if i.Name == name {
			there, up = true, i.Flags&rpcap.InterfaceUp != 0
		}
	}
	switch {
	case list.Len() == 0 || rule.PseudoDevice(name) && !there:
		return nil
	case !there:
		return status.Caused(status.CauseInterfaceDown, "interface %s of the agent is gone", printable.Name(name))
	case flagged && !up: // libraries before 1.6 fill in no flag
		return status.Caused(status.CauseInterfaceDown, "interface %s of the agent is down", printable.Name(name))
	}
	return nil
}

// interfaceIs shows whether the interface is down, as far as that has changed.
func (s *session) interfaceIs(down error) {
	switch {
	case reason(down) == reason(s.down):
		return
	case down != nil:
		s.failed(down)
		s.log.Warn("nothing can be captured", zap.String("peer", s.capture.Shown()), zap.Error(down))
	default:
		s.log.Info("the interface is up again", zap.String("peer", s.capture.Shown()))
	}
	s.down = down
	s.setState(status.StateRunning, down)
}
