package agent

import (
	"testing"
	"time"

	"rpcapd/rpcap"
)

// A capture is well while its forwarder moves, also on an idle interface, and is told of once it does not.
func TestProgress(t *testing.T) {
	s := &Supervisor{}
	x := &session{agent: s}
	s.sessions = []*session{x}
	p := s.Progress()
	if names := p.Stuck(); names != nil {
		t.Errorf("without a capture: %v", names)
	}
	c := &capturing{forwarder: newForwarder(nil, nil, rpcap.SamplingRequest{}, &s.limits), info: CaptureStatus{Interface: "eth1"}}
	x.live = c
	if names := p.Stuck(); names != nil {
		t.Errorf("a new capture: %v", names)
	}
	if names := p.Stuck(); len(names) != 1 || names[0] != "eth1" {
		t.Errorf("a stuck capture: %v", names)
	}
	c.forwarder.progress.Add(1)
	if names := p.Stuck(); names != nil {
		t.Errorf("a capture that moves: %v", names)
	}
	c.final = &Counters{}
	if names := p.Stuck(); names != nil {
		t.Errorf("a capture that has ended: %v", names)
	}
	if idleWait > time.Second {
		t.Errorf("an idle forwarder wakes only each %v", idleWait)
	}
}
