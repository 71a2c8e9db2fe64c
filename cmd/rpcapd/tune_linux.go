package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// tuned are the options that tune serves.
var tuned = []string{"c", "e"}

// tune binds the process to a CPU and changes its niceness: all its threads, those
// that start later inherit both. It comes before privileges are dropped, since a
// negative nice value needs CAP_SYS_NICE.
func tune(cpu, nice int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if cpu != cpuAny {
			var set unix.CPUSet
			set.Set(cpu)
			if err := unix.SchedSetaffinity(tid, &set); err != nil {
				return fmt.Errorf("bind to CPU %d: %w", cpu, err)
			}
		}
		if nice != 0 {
			if err := unix.Setpriority(unix.PRIO_PROCESS, tid, nice); err != nil {
				return fmt.Errorf("set nice value %d: %w", nice, err)
			}
		}
	}
	return nil
}
