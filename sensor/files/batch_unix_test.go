//go:build unix

package files

import "testing"

// TestSingleBatchTakenAway: frames in a file that was taken away are dropped. On Windows, nobody can take away what is open.
func TestSingleBatchTakenAway(t *testing.T) { singleBatchInFile(t, true) }
