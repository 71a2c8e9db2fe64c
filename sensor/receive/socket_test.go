package receive

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

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

func (f *fakePorts) open(a netip.AddrPort) (Socket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.socks == nil {
		f.socks = make(map[uint16]*fakeSocket)
	}
	s := newFakeSocket(a.Port())
	f.socks[a.Port()] = s
	return s, nil
}

func (f *fakePorts) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.socks)
}
