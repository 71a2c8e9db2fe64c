package simulator

import (
	"time"

	agents "rpcapd/backoff"
)

// The pauses of the real agent (agent/tunables.go; a test compares).
const (
	backoffFirst = 1 * time.Second
	backoffMax   = 30 * time.Second
	stableAfter  = 60 * time.Second
)

// backoff makes the pauses between attempts as the real agent does.
type backoff struct{ as agents.Backoff }

func (b *backoff) pause() time.Duration {
	b.as.First, b.as.Most, b.as.Stable = backoffFirst, backoffMax, stableAfter
	return b.as.Pause()
}

// lasted is told how long a session was.
func (b *backoff) lasted(d time.Duration) { b.as.Ended(d) }
