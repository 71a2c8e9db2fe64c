package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// TestEndIfStuck: the service ends when a forwarder is stuck for long, and for no shorter pause.
func TestEndIfStuck(t *testing.T) {
	for pattern, want := range map[string]int{"": 0, "ss.ss.ss": 0, "s.sss": 5, "sss": 3} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			looks, ended := 0, 0
			stuck := func() []string {
				looks++
				if looks <= len(pattern) && pattern[looks-1] == 's' {
					return []string{"eth0"}
				}
				return nil
			}
			go endIfStuck(ctx, stuck, func(code int) {
				if code != exitFailed {
					t.Errorf("exit code %d", code)
				}
				ended = looks
			}, zap.NewNop())
			time.Sleep(20 * stuckLook)
			cancel()
			synctest.Wait()
			if ended != want {
				t.Errorf("%q: ended at look %d, want %d", pattern, ended, want)
			}
		})
	}
}
