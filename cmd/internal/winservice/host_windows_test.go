package winservice

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"
)

// hosted is a service without a service manager: the test is one.
type hosted struct {
	t        *testing.T
	requests chan svc.ChangeRequest
	states   chan svc.Status
	ended    chan uint32 // exit code; 1<<31 is added to one of the program's own
	told     chan string // what the program was asked to do
	finish   chan error
	started  func()
}

const ownCode = 1 << 31

func host(t *testing.T) *hosted {
	h := &hosted{t: t, requests: make(chan svc.ChangeRequest), states: make(chan svc.Status, 100), ended: make(chan uint32, 1), told: make(chan string, 10), finish: make(chan error, 1)}
	running := make(chan func())
	p := &Program{
		Run:      func(started func()) error { running <- started; return <-h.finish },
		ExitCode: func(error) uint32 { return 7 },
		Stop:     func() { h.told <- "stop" },
		Reload:   func() { h.told <- "reload" },
		Power:    func(asleep bool) { h.told <- map[bool]string{true: "sleep", false: "wake"}[asleep] },
	}
	go func() {
		own, code := p.Execute(nil, h.requests, h.states)
		if own {
			code |= ownCode
		}
		h.ended <- code
	}()
	h.started = <-running
	h.state(svc.StartPending)
	return h
}

const patience = 40 * time.Second

func receive[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	return v
}

// state waits for a state; checkpoints of the one before may come first.
func (h *hosted) state(want svc.State) svc.Status {
	h.t.Helper()
	for {
		if st := receive(h.t, "state "+StateName(want), h.states); st.State == want {
			return st
		}
	}
}

func (h *hosted) request(cmd svc.Cmd, event uint32, want string) {
	h.t.Helper()
	h.requests <- svc.ChangeRequest{Cmd: cmd, EventType: event}
	if want != "" {
		if got := receive(h.t, want, h.told); got != want {
			h.t.Errorf("control %d, event %d: the program hears %q, want %q", cmd, event, got, want)
		}
	}
}

// TestExecute: the service runs when the program says so, reloads, hears of the power, and ends before a shutdown.
func TestExecute(t *testing.T) {
	h := host(t)
	h.started()
	if st := h.state(svc.Running); st.Accepts != svc.AcceptStop|svc.AcceptPreShutdown|svc.AcceptParamChange|svc.AcceptPowerEvent {
		t.Errorf("it accepts %b", st.Accepts)
	}
	h.request(svc.Interrogate, 0, "")
	h.state(svc.Running)
	h.request(svc.ParamChange, 0, "reload")
	h.request(svc.PowerEvent, 4, "sleep")
	h.request(svc.PowerEvent, 10, "") // the battery is low
	h.request(svc.PowerEvent, 0x12, "wake")
	h.request(svc.PreShutdown, 0, "stop")
	if st := h.state(svc.StopPending); st.WaitHint == 0 {
		t.Error("no hint how long to wait")
	}
	h.request(svc.Stop, 0, "") // it was told
	h.state(svc.StopPending)   // a checkpoint, while it sends what it has
	h.finish <- nil
	if code := receive(t, "end", h.ended); code != 0 || len(h.told) != 0 {
		t.Errorf("exit code %d, and the program heard %d things more", code, len(h.told))
	}
}

// TestExecuteFails: a program that cannot start ends the service with its exit code, and never runs.
func TestExecuteFails(t *testing.T) {
	h := host(t)
	h.finish <- errors.New("the ini has errors")
	if code := receive(t, "end", h.ended); code != 7|ownCode {
		t.Errorf("exit code %#x", code)
	}
	for len(h.states) > 0 {
		if st := <-h.states; st.State == svc.Running {
			t.Error("it ran")
		}
	}
}
