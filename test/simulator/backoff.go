package simulator

import (
	"math/rand/v2"
	"time"
)

// The pauses of the real agent (agent/tunables.go; a test compares).
const (
	backoffFirst = 1 * time.Second
	backoffMax   = 30 * time.Second
	stableAfter  = 60 * time.Second
)

// backoff makes the pauses between attempts as the real agent does: doubling, each drawn
// from half of that to half more, from the start again after a session that was stable.
type backoff struct{ next time.Duration }

func (b *backoff) pause() time.Duration {
	d := max(b.next, backoffFirst)
	b.next = min(2*d, backoffMax)
	return d/2 + rand.N(d)
}

// lasted is told how long a session was.
func (b *backoff) lasted(d time.Duration) {
	if d >= stableAfter {
		b.next = 0
	}
}
