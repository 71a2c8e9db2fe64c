package iface

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestGather: a burst is told once, within coalesce of its first event, and what
// comes while the listener is busy is told after that.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		events := make(chan struct{}, 1)
		start := time.Now()
		var told []time.Duration
		done := make(chan error, 1)
		go func() {
			done <- gather(ctx, events, nil, func() {
				told = append(told, time.Since(start))
				time.Sleep(50 * time.Millisecond)
			})
		}()
		for _, at := range []int{0, 10, 90, 1000, 1120, 2000} { // ms
			time.Sleep(time.Duration(at)*time.Millisecond - time.Since(start))
			select {
			case events <- struct{}{}:
			default:
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want := []time.Duration{100 * time.Millisecond, 1100 * time.Millisecond, 1250 * time.Millisecond, 2100 * time.Millisecond}
		if !slices.Equal(told, want) {
			t.Errorf("told at %v, want %v", told, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestGatherEndsWithTheSocket(t *testing.T) {
	broken := errors.New("broken")
	failed := make(chan error, 1)
	failed <- broken
	if err := gather(t.Context(), nil, failed, func() {}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestGatherEndsWhileGathering: no call after the context has ended.
func TestGatherEndsWhileGathering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), coalesce/2)
		defer cancel()
		events := make(chan struct{}, 1)
		events <- struct{}{}
		err := gather(ctx, events, nil, func() { t.Error("called") })
		if err != nil {
			t.Error(err)
		}
	})
}
