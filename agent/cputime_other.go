//go:build !unix

package agent

import "time"

// processCPU is not known here: MaxCPU has no effect.
func processCPU() time.Duration { return 0 }
