// Package backoff makes the pauses between attempts at something that fails: doubling from a first pause to a longest
// one, each drawn at random from half of that to half more. So a fleet that has lost its sensor at one moment does not
// come back at one moment. What had lasted a while begins with the first pause again.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff counts the attempts of one thing. One goroutine at a time uses it.
type Backoff struct {
	First, Most time.Duration // before jitter; First is above 0, and Most is not below it
	Stable      time.Duration // how long an attempt must last to count as a success, for Ended
	next        time.Duration // 0: First
}

// Pause is how long to wait before the next attempt.
func (b *Backoff) Pause() time.Duration {
	d := max(b.next, b.First)
	b.next = min(2*d, b.Most)
	return d/2 + rand.N(d)
}

// Reset makes the next pause the first one again.
func (b *Backoff) Reset() { b.next = 0 }

// Ended takes in how long an attempt has lasted, and resets the pause if it was stable. It reports whether it was.
func (b *Backoff) Ended(lasted time.Duration) (stable bool) {
	if stable = lasted >= b.Stable; stable {
		b.Reset()
	}
	return stable
}

// Wait waits, and returns early with the cause when ctx ends.
func Wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
