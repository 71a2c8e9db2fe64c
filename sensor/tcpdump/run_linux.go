package tcpdump

import (
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// confine bounds what a run of tcpdump can take from the machine. It has run for a moment by then, which is too short for
// any harm. A limit that cannot be set is left out: the time is bounded anyway.
func (t *command) confine(pid int) {
	limit := func(resource int, soft, hard uint64) {
		_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: soft, Max: hard}, nil)
	}
	if t.nice > 0 {
		_ = unix.Setpriority(unix.PRIO_PROCESS, pid, t.nice)
	}
	limit(unix.RLIMIT_CORE, 0, 0)
	limit(unix.RLIMIT_CPU, uint64(t.cpu/time.Second), uint64(t.cpu/time.Second)+1) // SIGXCPU, then SIGKILL
	limit(unix.RLIMIT_AS, t.memory, t.memory)
}

// usedUpCPU reports whether a process was ended for the time that it has computed.
func usedUpCPU(exit *exec.ExitError) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGXCPU
}
