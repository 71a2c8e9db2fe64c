package capture

import (
	"sync"
	"testing"
	"time"
)

// past is a deadline for a look without waiting.
var past = time.Unix(1, 0)

// within is the deadline after d.
func within(d time.Duration) time.Time { return time.Now().Add(d) }

// TestGate: whatever the order of Close and the reader, exactly one of them frees.
func TestGate(t *testing.T) {
	for range 2000 {
		var g gate
		freed := make(chan string, 4)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, free := g.close(); free {
					freed <- "Close"
				}
			})
		}
		wg.Go(func() {
			for g.enter() {
				if g.leave() {
					freed <- "reader"
				}
			}
			if g.leave() {
				freed <- "leave after the end"
			}
		})
		wg.Wait()
		if len(freed) != 1 {
			t.Fatalf("freed %d times", len(freed))
		}
	}
}
