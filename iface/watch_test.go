package iface

import (
	"context"
	"errors"
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
		var tries, told, troubles int
		works := false
		follow := func(ctx context.Context, changed func()) error {
			tries++
			if !works {
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
			keepWatching(ctx, follow, func() { told++ }, func(err error) {
				troubles++
				if !errors.Is(err, broken) {
					t.Error(err)
				}
			})
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if tries < 12 || tries > 25 || told != tries-1 || troubles != tries {
			t.Errorf("in a minute: %d attempts, %d troubles, changes told %d times", tries, troubles, told)
		}
		works = true
		time.Sleep(watchAgainMax)
		before := tries
		time.Sleep(10*time.Hour + time.Minute)
		synctest.Wait()
		if tries != before+10 {
			t.Errorf("in ten hours of working and breaking: %d attempts, want 10", tries-before)
		}
		cancel()
		<-done
	})
}
