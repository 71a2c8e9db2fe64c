//go:build !linux

package agent

import "time"

// threadCPU is not known: requests cost what they cost at least.
func threadCPU() time.Duration { return 0 }
