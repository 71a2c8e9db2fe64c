package backoff

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestGrowsToItsLimit: each pause is around twice the one before, never two the same, and the longest stays.
func TestGrowsToItsLimit(t *testing.T) {
	b := Backoff{First: time.Second, Most: 30 * time.Second}
	want, seen := b.First, make(map[time.Duration]bool)
	for range 10 {
		d := b.Pause()
		if d < want/2 || d > want+want/2 {
			t.Fatalf("pause %v, want %v or up to half more or less", d, want)
		}
		seen[d] = true
		want = min(2*want, b.Most)
	}
	if len(seen) < 9 {
		t.Errorf("no jitter: %v", seen)
	}
	b.Reset()
	if d := b.Pause(); d > b.First+b.First/2 {
		t.Errorf("pause %v after a reset", d)
	}
}

// TestEnded: what lasted too short does not reset.
func TestEnded(t *testing.T) {
	b := Backoff{First: time.Second, Most: time.Hour, Stable: time.Minute}
	for range 5 {
		b.Pause()
	}
	if b.Ended(b.Stable - 1) {
		t.Error("stable too early")
	}
	if d := b.Pause(); d < 16*time.Second {
		t.Errorf("pause %v", d)
	}
	if !b.Ended(b.Stable) {
		t.Error("not stable")
	}
	if d := b.Pause(); d > 2*b.First {
		t.Errorf("pause %v", d)
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, stopped := time.Now(), errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		if err := Wait(ctx, time.Minute); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.AfterFunc(time.Second, func() { cancel(stopped) })
		if err := Wait(ctx, time.Minute); err != stopped || time.Since(begin) != time.Minute+time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}
