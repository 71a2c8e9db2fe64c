// Package wait lets a test wait for something that happens soon.
package wait

import (
	"testing"
	"time"
)

// Until polls until ok returns true; what says what it waits for. It takes at most 40 s, so that a busy machine fails no test.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain until %s", what)
}
