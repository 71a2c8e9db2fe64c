//go:build !linux

package agent

// tuneThread does nothing where a single thread cannot be bound.
func tuneThread(_, _ int) {}
