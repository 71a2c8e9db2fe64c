package agent

import (
	"math/rand/v2"
	"time"
)

// backoff makes the pauses between attempts: doubling from backoffFirst to
// backoffMax, each with up to a quarter of jitter on top so that a fleet that lost
// its sensor at one moment does not come back at one moment.
type backoff struct{ next time.Duration }

func (b *backoff) pause() time.Duration {
	d := max(b.next, backoffFirst)
	b.next = min(2*d, backoffMax)
	return d + rand.N(d/4)
}

func (b *backoff) reset() { b.next = 0 }
