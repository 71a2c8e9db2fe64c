//go:build !linux

package agent

import "time"

// tuneThread does nothing where a single thread cannot be bound.
func tuneThread(_, _ int) {}

// threadCPU is not known here: MaxCPU has no effect.
func threadCPU() time.Duration { return 0 }
