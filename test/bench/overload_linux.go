package main

import (
	"syscall"
	"time"
)

// An agent that is starved runs for starvedRun and is stopped for starvedStop, in turn: the
// ring holds 20 (long frames) to 300 ms (short ones) of what the generator makes.
const (
	starvedRun  = 20 * time.Millisecond
	starvedStop = 600 * time.Millisecond
)

// starve takes the agent's CPU from it for most of the time, until the function that is
// returned is called.
func (a *agent) starve() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			_ = a.Process.Signal(syscall.SIGSTOP) // fails if it has ended, which the run finds out
			stopped := pause(quit, starvedStop)
			_ = a.Process.Signal(syscall.SIGCONT)
			if !stopped || !pause(quit, starvedRun) {
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// pause says whether it was left in peace.
func pause(quit <-chan struct{}, d time.Duration) bool {
	select {
	case <-quit:
		return false
	case <-time.After(d):
		return true
	}
}

// overload measures an agent that is starved.
func (b *bench) overload(s spec) (*overload, []string, error) {
	s.starved = true
	p, wrong, err := b.path(s)
	if err != nil {
		return nil, nil, err
	}
	return &overload{*p, s.profile.name}, wrong, nil
}
