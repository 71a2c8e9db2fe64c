package control

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// askStats asks for the agent's numbers. An ERROR in answer is an answer.
func (s *session) askStats(ctx context.Context, timeout time.Duration) error {
	if s.capture != nil {
		s.capture.Asked()
	}
	asked := time.Now()
	m, err := s.ctl.request(ctx, rpcap.TypeStatsRequest, rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest), timeout)
	if agentErr := (*rpcap.Error)(nil); errors.As(err, &agentErr) {
		s.lastReply = time.Now()
		s.log.Debug("agent has no statistics", zap.Error(agentErr))
		return nil
	}
	if err != nil {
		return err
	}
	reply, _, err := rpcap.ParseStatsReply(m.payload)
	if err != nil {
		return status.Caused(status.CauseProtocol, "read STATS_REPLY: %w", err)
	}
	s.lastReply = time.Now()
	if s.capture != nil { // without one ExtraHop's agent sends whatever is in its memory
		s.capture.Answered(reply, s.lastReply.Sub(asked))
	}
	return nil
}
