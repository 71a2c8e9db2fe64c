//go:build unix

package agent

import (
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is the CPU time of the process, what the kernel does on its behalf
// included: sending is most of it (getrusage(2)).
func processCPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
