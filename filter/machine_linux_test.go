package filter

import (
	"errors"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// kernelSocket is a pair of datagram sockets whose receiving end has a filter:
// what is written comes out cut, or not at all. Needs no privilege.
type kernelSocket struct {
	send, receive int
	buf           []byte
}

func newKernelSocket(t testing.TB) *kernelSocket {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("make socket pair: %v", err)
	}
	t.Cleanup(func() {
		unix.Close(pair[0])
		unix.Close(pair[1])
	})
	return &kernelSocket{send: pair[0], receive: pair[1], buf: make([]byte, 1<<16)}
}

// attach replaces the filter.
func (k *kernelSocket) attach(p []bpf.RawInstruction) error {
	raw := make([]unix.SockFilter, len(p))
	for n, in := range p {
		raw[n] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(k.receive, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]})
}

func (k *kernelSocket) run(t testing.TB, frame []byte) int {
	t.Helper()
	if _, err := unix.Write(k.send, frame); err != nil {
		t.Fatalf("write frame of %d bytes: %v", len(frame), err)
	}
	n, err := unix.Read(k.receive, k.buf)
	if errors.Is(err, unix.EAGAIN) {
		return 0
	}
	if err != nil {
		t.Fatalf("read frame: %v", err)
	}
	return n
}

func kernelMachine(t testing.TB, p []bpf.RawInstruction) func([]byte) int {
	t.Helper()
	k := newKernelSocket(t)
	if err := k.attach(p); err != nil {
		t.Fatalf("attach filter of %d instructions: %v", len(p), err)
	}
	return func(f []byte) int { return k.run(t, f) }
}
