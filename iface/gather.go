package iface

import (
	"context"
	"time"
)

// coalesce is how long changes are gathered before they are told: setting up one
// interface makes a dozen of them within milliseconds, and each list costs a dump.
const coalesce = 100 * time.Millisecond

// gather calls changed within coalesce of an event, once for all events up to
// then, until the context ends or an error comes.
func gather(ctx context.Context, events <-chan struct{}, failed <-chan error, changed func()) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-events:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(coalesce):
		}
		select { // what came meanwhile is told now
		case <-events:
		default:
		}
		changed()
	}
}
