package control

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain fails the package if goroutines or file descriptors are left over when all tests have passed.
func TestMain(m *testing.M) {
	fds := openFiles()
	code := m.Run()
	if code == 0 {
		code = leaks(fds)
	}
	os.Exit(code)
}

func leaks(fdsBefore int) int {
	for range 1500 { // 15 s on a busy machine
		if runtime.NumGoroutine() <= 2 && openFiles() <= fdsBefore+1 { // the runtime's poller opens one
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("leak: %d goroutines, %d file descriptors (%d before)\n", runtime.NumGoroutine(), openFiles(), fdsBefore)
	_ = pprof.Lookup("goroutine").WriteTo(os.Stdout, 1)
	return 1
}

// openFiles is 0 where there is no /proc.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	n := 0
	for _, e := range entries {
		// epoll and event descriptors belong to the Go runtime.
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && target[0] != 'a' {
			n++
		}
	}
	return n
}
