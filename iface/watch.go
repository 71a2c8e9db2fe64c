package iface

import (
	"context"
	"time"
)

const (
	// watchAgain and watchAgainMax bound the pause before a watch that broke begins anew.
	// It doubles, and a watch that lasted longer than watchAgainMax resets it.
	watchAgain    = 100 * time.Millisecond
	watchAgainMax = 5 * time.Second
)

// Watch calls changed once as soon as it watches (so that what changed since the
// caller's last list is not missed) and then after each burst of changes of links
// or addresses, never twice at once. It blocks until the context ends. A watch that
// breaks is told to trouble and begins anew, with a call of changed; until it can, changed
// is called after each attempt. It watches the network namespace of the thread that
// called it.
func Watch(ctx context.Context, changed func(), trouble func(error)) {
	keepWatching(ctx, watch, changed, trouble)
}

// keepWatching repeats watch, which returns when the context ends or with an error.
func keepWatching(ctx context.Context, watch func(context.Context, func()) error, changed func(), trouble func(error)) {
	pause := watchAgain
	for {
		began := time.Now()
		err := watch(ctx, changed)
		if ctx.Err() != nil {
			return
		}
		trouble(err)
		if time.Since(began) > watchAgainMax {
			pause = watchAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, watchAgainMax)
		changed()
	}
}
