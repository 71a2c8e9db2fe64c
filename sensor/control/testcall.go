package control

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
)

// testCallLife bounds a test call: the agent's end leaves when it is done, within some seconds.
const testCallLife = 30 * time.Second

var errTestCallOver = errors.New("the test call has lasted as long as it may")

// testCall serves an end that wants to know which datagrams arrive, and no frames: while its session is open, the data ports
// send its probes back. It is no peer, and leaves nothing behind.
func (s *session) testCall(ctx context.Context) (state, error) {
	s.mu.Lock()
	s.test = true
	s.mu.Unlock()
	var offer rpcap.ProbeOffer
	if slices.ContainsFunc(s.rules, func(r *rule.Rule) bool { return !r.TCP }) {
		o, end, err := s.server.testCall(s.peer.Addr(), s.local.Addr())
		if err != nil {
			e := rpcap.Error{Code: rpcap.CodeRemoteAccept, Text: err.Error()}
			return s.testOver(ctx, &e)
		}
		defer end()
		offer = o
	} else {
		offer.TCP = true
	}
	offer.Seen, offer.Clock = s.peer.Addr(), time.Now()
	s.server.repeats.Some(s.log, s.peer.Addr().String()+" tests", maxTurns, zap.InfoLevel, "test call of an agent's host; the data ports answer its probes",
		zap.Int("ports", len(offer.Ports)))
	return s.testOver(ctx, offer.Error())
}

// testOver tells the other end, and waits until it leaves.
func (s *session) testOver(ctx context.Context, e *rpcap.Error) (state, error) {
	if err := s.ctl.send(e.Append(nil)); err != nil {
		return nil, err
	}
	until := time.Now().Add(testCallLife)
	for {
		switch ev, err := s.wait(ctx, until); {
		case err != nil:
			return nil, err
		case ev == eventStop:
			return nil, errStopped
		case ev == eventTimer:
			return nil, errTestCallOver
		}
	}
}

// isTest reports whether the session is a test call.
func (s *session) isTest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.test
}
