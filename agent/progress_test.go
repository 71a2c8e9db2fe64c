package agent

import (
	"io"
	"os"
	"testing"
	"time"

	"rpcapd/capture"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
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
	source := &countedWakes{}
	c := &capturing{forwarder: newForwarder(source, nil, rpcap.SamplingRequest{}, &s.limits), info: CaptureStatus{Interface: "eth1"}}
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
	if source.wakes == 0 {
		t.Error("nobody wakes an idle forwarder to see that it moves")
	}
}

type countedWakes struct {
	capture.Source
	wakes int
}

func (s *countedWakes) Wake() { s.wakes++ }

// endless is a source without frames, which notes how long it was to wait for some.
type endless struct {
	countedWakes
	until time.Time
}

func (s *endless) Next(deadline time.Time) ([]udpstr.Frame, error) {
	s.until = deadline
	if deadline == past {
		return nil, os.ErrDeadlineExceeded
	}
	return nil, io.EOF
}

// A forwarder sets no timer while it waits for a source that can be woken, but with MaxCPU, which looks each second.
func TestIdleWithoutTimer(t *testing.T) {
	for _, c := range []struct {
		maxCPU int64
		timer  bool
	}{{0, false}, {10, true}} {
		source, l := &endless{}, &limits{}
		l.cpu.Store(c.maxCPU)
		if err := newForwarder(source, newDiscard(), rpcap.SamplingRequest{}, l).run(); err != nil {
			t.Error(err)
		}
		if timer := !source.until.IsZero(); timer != c.timer {
			t.Errorf("MaxCPU %d: waits until %v", c.maxCPU, source.until)
		}
	}
}
