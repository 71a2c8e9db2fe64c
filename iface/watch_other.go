//go:build !linux && !windows && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package iface

import (
	"context"
	"reflect"
	"time"
)

// pollEvery bounds how late a change is seen where the system does not tell.
const pollEvery = 2 * time.Second

// watch compares lists. One that cannot be read counts as unchanged: the next
// one is two seconds away.
func watch(ctx context.Context, changed func()) error {
	last, _ := List()
	changed()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := List()
		if err == nil && !reflect.DeepEqual(now, last) {
			last = now
			changed()
		}
	}
}
