// Package leak runs the tests of a package and fails it if they leave goroutines or file descriptors behind.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// Main is the TestMain of a package. It looks for leaks when all tests have passed.
func Main(m *testing.M) {
	fds := openFiles()
	code := m.Run()
	if code == 0 {
		code = leaks(fds)
	}
	os.Exit(code)
}

func leaks(fdsBefore int) int {
	for range 4000 { // 40 s on a busy machine
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
