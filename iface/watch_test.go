package iface

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatchGoesOn: a watch that breaks, again and again, at once or after hours, is
// told, begins anew, and what may have changed meanwhile is told as well.
func TestWatchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		broken := errors.New("socket broken")
		var tries, told, troubles atomic.Int64
		var works atomic.Bool
		follow := func(ctx context.Context, changed func()) error {
			tries.Add(1)
			if !works.Load() {
				return broken
			}
			changed()
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Hour):
				return broken
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			keepWatching(ctx, follow, func() { told.Add(1) }, func(err error) {
				troubles.Add(1)
				if !errors.Is(err, broken) {
					t.Error(err)
				}
			})
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := tries.Load(); n < 12 || n > 25 || told.Load() != n-1 || troubles.Load() != n {
			t.Errorf("in a minute: %d attempts, %d troubles, changes told %d times", n, troubles.Load(), told.Load())
		}
		works.Store(true)
		time.Sleep(watchAgainMax)
		before := tries.Load()
		time.Sleep(10*time.Hour + time.Minute)
		synctest.Wait()
		if n := tries.Load() - before; n != 10 {
			t.Errorf("in ten hours of working and breaking: %d attempts, want 10", n)
		}
		cancel()
		<-done
	})
}
