package agent

import "golang.org/x/sys/unix"

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
