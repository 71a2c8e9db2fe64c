package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// helperVariable makes a further execution of this program a helper, and which.
const helperVariable = "BENCH_HELPER"

const (
	helperGenerate = "generate" // arguments of generator
	helperReceive  = "receive"  // CPU, profile
	helperSimulate = "simulate" // CPU, number of agents
	helperWrite    = "write"    // file, text
	helperPin      = "pin"      // CPU, program, its arguments
)

// helper does the work of a further execution, if this is one, and ends it.
func helper() {
	kind := os.Getenv(helperVariable)
	if kind == "" {
		return
	}
	_ = os.Unsetenv(helperVariable)
	err := fmt.Errorf("no helper %q", kind)
	switch kind {
	case helperGenerate:
		err = generateMain(os.Args[1:])
	case helperReceive:
		err = receiveMain(os.Args[1:])
	case helperSimulate:
		err = simulateMain(os.Args[1:])
	case helperWrite:
		err = writeMain(os.Args[1:])
	case helperPin:
		err = pinMain(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// everyCPU stands for all that there are.
const everyCPU = -1

// pin binds the calling thread to a CPU, and with it the threads and processes that it
// makes. The goroutine stays on this thread.
func pin(cpu int) error {
	runtime.LockOSThread()
	var set unix.CPUSet
	if cpu == everyCPU {
		for i := range len(set) * 64 {
			set.Set(i)
		}
	} else {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("bind to CPU %d: %w", cpu, err)
	}
	return nil
}

// pinMain becomes another program that has its CPU, or every one, from its first instruction on: what
// a runtime concludes from the number of its CPUs is right too.
func pinMain(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("pin: CPU and program are missing")
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := pin(cpu); err != nil {
		return err
	}
	return fmt.Errorf("execute %s: %w", args[1], syscall.Exec(args[1], args[1:], os.Environ()))
}

// writeMain writes a file of a namespace's /sys.
func writeMain(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("write: file and text are missing")
	}
	return os.WriteFile(args[0], []byte(args[1]), 0o644)
}
