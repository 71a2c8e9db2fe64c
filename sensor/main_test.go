package sensor

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
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

// syncBuffer is a bytes.Buffer for a writer and a reader that run at once.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}
