package agent

import (
	"time"

	"golang.org/x/sys/unix"
)

// tuneThread binds the calling thread to a CPU and lowers its priority. Both are
// wishes: a host that refuses them still gets its frames.
func tuneThread(cpu, nice int) {
	if cpu >= 0 {
		var set unix.CPUSet
		set.Set(cpu)
		_ = unix.SchedSetaffinity(0, &set)
	}
	if nice != 0 {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice)
	}
}

// threadCPU is the CPU time of the calling thread, the work of the kernel on its
// behalf included (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID).
func threadCPU() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
