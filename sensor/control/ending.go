package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// ending stops the capture in order because the sensor stops.
func (s *session) ending(context.Context) (state, error) {
	if err := s.stopCapture(); err != nil {
		return nil, err
	}
	return nil, errStopped
}

// dataEnded stops the capture because its TCP data connection cannot be used any more, and tries again later.
func (s *session) dataEnded(context.Context) (state, error) {
	why := fmt.Errorf("the data connection cannot be used: %w", s.capture.Err())
	if err := s.stopCapture(); err != nil {
		return nil, err
	}
	return s.hold(s.list, retryInterval, why, true), nil
}

// stopCapture sends STATS, ENDCAP and STATS. The numbers after ENDCAP are the final ones unless they are zeros, as both C
// agents send; then those before it are a lower bound. All of it takes at most endTimeout and lingerTime.
func (s *session) stopCapture() error {
	s.setState(status.StateEnding, nil)
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if err := s.askStats(ctx, finalStats); err != nil && !errors.Is(err, errNoReply) {
		return err
	}
	tail, captured := status.TailUnknown, uint32(0)
	if r, ok := s.capture.LastReport(); ok {
		tail, captured = status.TailAtLeast, r.Captured
	}
	_, err := s.ctl.request(ctx, rpcap.TypeEndCaptureRequest, rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest), endTimeout)
	agentErr := (*rpcap.Error)(nil)
	if err == nil {
		if final, ok := s.finalReport(ctx, captured); ok {
			tail, captured = status.TailKnown, final
		}
	}
	s.endCapture(tail, captured)
	if err != nil && !errors.As(err, &agentErr) {
		return fmt.Errorf("end capture: %w", err)
	}
	return nil
}

// captureDied ends a capture that the agent has ended. Ours has sent everything before it says so, and still tells its
// numbers; one of another make answers nothing that is taken for them.
func (s *session) captureDied() {
	if s.capture == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), finalStats)
	defer cancel()
	before, _ := s.capture.LastReport()
	if final, ok := s.finalReport(ctx, before.Captured); ok {
		s.endCapture(status.TailKnown, final)
	}
}

// finalReport asks for the numbers after ENDCAP and tells whether they are valid: not behind those before it.
func (s *session) finalReport(ctx context.Context, before uint32) (captured uint32, ok bool) {
	m, err := s.ctl.request(ctx, rpcap.TypeStatsRequest, rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest), finalStats)
	if err != nil {
		return 0, false
	}
	r, _, err := rpcap.ParseStatsReply(m.payload)
	if err != nil || int32(r.Captured-before) < 0 {
		return 0, false
	}
	return r.Captured, s.capture.Final(r)
}

// endTimeout bounds STATS and ENDCAP together; finalStats bounds each STATS of them.
const (
	endTimeout = 2 * time.Second
	finalStats = 700 * time.Millisecond
)
