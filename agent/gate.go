package agent

import (
	"context"
	"sync"
	"time"

	"rpcapd/backoff"
)

// gate holds back the sessions for one sensor that a line with several interfaces makes, while the sensor cannot be used: one of
// them tries again, with one back-off for all, and the others come when it has succeeded. So a sensor that is down is dialed no
// more often because interfaces come and go.
type gate struct {
	mu      sync.Mutex // a leaf
	pause   backoff.Backoff
	failing bool
	trying  bool      // one session does
	until   time.Time // not before
	moved   chan struct{}
}

func newGate() *gate {
	return &gate{pause: newBackoff(), moved: make(chan struct{})}
}

func newBackoff() backoff.Backoff {
	return backoff.Backoff{First: backoffFirst, Most: backoffMax, Stable: stableAfter}
}

// enter returns when the session may dial: true if it is the one that tries. held is called with the time before which none does.
func (g *gate) enter(ctx context.Context, held func(until time.Time)) (tries bool, err error) {
	for {
		g.mu.Lock()
		d := time.Until(g.until)
		if !g.failing || !g.trying && d <= 0 {
			tries = g.failing
			g.trying = tries
			g.mu.Unlock()
			return tries, nil
		}
		until, moved, trying := g.until, g.moved, g.trying
		g.mu.Unlock()
		held(until)
		var due <-chan time.Time // never, while another one tries
		if !trying {
			due = time.After(d)
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-moved:
		case <-due:
		}
	}
}

// dialed tells what became of an attempt; tries is what enter said. One that was given up says nothing about the sensor.
func (g *gate) dialed(tries bool, err error, givenUp bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.failing = false
	case givenUp && !tries, g.failing && !tries: // it is known
		return
	case !givenUp:
		g.fail()
	}
	g.trying = false
	g.move()
}

// ended tells that a connection has ended and is wanted again.
func (g *gate) ended(lasted time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pause.Ended(lasted)
	if !g.failing {
		g.fail()
		g.move()
	}
}

// fail begins a pause. mu is held.
func (g *gate) fail() { g.failing, g.until = true, time.Now().Add(g.pause.Pause()) }

// move wakes those that wait. mu is held.
func (g *gate) move() {
	close(g.moved)
	g.moved = make(chan struct{})
}
