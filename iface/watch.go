package iface

import (
	"context"
	"time"
)

// coalesce is how long changes are gathered before they are told: setting up one
// interface makes a dozen of them within milliseconds, and each list costs a dump.
const coalesce = 100 * time.Millisecond

// Watch calls changed once as soon as it watches (so that what changed since the
// caller's last list is not missed) and then after each burst of changes of links
// or addresses, from its own goroutine's call stack, never twice at once. It
// blocks until the context ends, and then returns nil; an error says why it
// cannot watch. It watches the network namespace of the thread that called it.
func Watch(ctx context.Context, changed func()) error {
	return watch(ctx, changed)
}
