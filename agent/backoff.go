package agent

import (
	"math/rand/v2"
	"time"
)

// backoff makes the pauses between attempts: doubling from backoffFirst to
// backoffMax, each drawn from half of that to half more, so that a fleet that lost its
// sensor at one moment does not come back at one moment.
type backoff struct{ next time.Duration }

func (b *backoff) pause() time.Duration {
	d := max(b.next, backoffFirst)
	b.next = min(2*d, backoffMax)
	return d/2 + rand.N(d)
}

func (b *backoff) reset() { b.next = 0 }
