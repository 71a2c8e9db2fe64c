package files

import (
	"testing"
	"time"
)

// TestClockSetBack: a file ends at its time by the clock, and no later than it was meant to last when that was set back.
func TestClockSetBack(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		title string
		file  file
		over  bool
	}{
		{"no rotation by time", file{begun: now.Add(-time.Hour)}, false},
		{"under way", file{begun: now.Add(-time.Minute), until: now.Add(time.Minute), lasts: 2 * time.Minute}, false},
		{"its time", file{begun: now.Add(-time.Minute), until: now, lasts: time.Minute}, true},
		{"set back a day", file{begun: now.Add(-10 * time.Minute), until: now.Add(24 * time.Hour), lasts: 5 * time.Minute}, true},
		{"slewed", file{begun: now.Add(-5 * time.Minute), until: now.Add(time.Second), lasts: 5*time.Minute - time.Second}, false},
	} {
		if got := tc.file.over(now); got != tc.over {
			t.Errorf("%s: %v", tc.title, got)
		}
	}
}
