package sensor

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
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

// fakeSocket is a datagramSource that is fed by the test.
type fakeSocket struct {
	port uint16
	in   chan []fakeDatagram
	done chan struct{}
	once sync.Once
	last []fakeDatagram
}

type fakeDatagram struct {
	src netip.AddrPort
	b   []byte
}

func newFakeSocket(port uint16) *fakeSocket {
	return &fakeSocket{port: port, in: make(chan []fakeDatagram, 64), done: make(chan struct{})}
}

func (f *fakeSocket) Receive(deadline time.Time) (int, error) {
	var timeout <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case f.last = <-f.in:
		return len(f.last), nil
	case <-timeout:
		return 0, os.ErrDeadlineExceeded
	case <-f.done:
		return 0, net.ErrClosed
	}
}

func (f *fakeSocket) Datagram(i int) (netip.AddrPort, []byte) { return f.last[i].src, f.last[i].b }
func (f *fakeSocket) Port() uint16                            { return f.port }
func (f *fakeSocket) KernelDrops() uint64                     { return 0 }
func (f *fakeSocket) Close() error                            { f.once.Do(func() { close(f.done) }); return nil }

// fakePorts opens fakeSockets and remembers them by port.
type fakePorts struct {
	mu    sync.Mutex
	socks map[uint16]*fakeSocket
}

func (f *fakePorts) open(a netip.AddrPort) (datagramSource, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.socks == nil {
		f.socks = make(map[uint16]*fakeSocket)
	}
	s := newFakeSocket(a.Port())
	f.socks[a.Port()] = s
	return s, nil
}

func (f *fakePorts) get(port uint16) *fakeSocket {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.socks[port]
}

func (f *fakePorts) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.socks)
}
