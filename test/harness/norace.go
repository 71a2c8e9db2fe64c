//go:build !race

package harness

// Race says that tests and programs run with the race detector: with five to ten times the memory and the time.
const Race = false
