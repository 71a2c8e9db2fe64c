package receive

import "testing"

// TestStarvedByNAT: frames that come from another address do not make super-packets the culprit.
func TestStarvedByNAT(t *testing.T) {
	for _, tc := range []struct {
		foreign uint64
		hungry  int
	}{{0, 3}, {5, 3}, {130, 0}} {
		var a account
		a.foreign = 1000 // before the capture
		for range 3 {
			a.feed(1000, 0, 1000+tc.foreign)
		}
		if a.hungry != tc.hungry {
			t.Errorf("%d foreign: hungry at %d STATS", tc.foreign, a.hungry)
		}
	}
}
