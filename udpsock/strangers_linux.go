package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// strangers is a second socket on the receiver's address with a small buffer. A program in the kernel sends there what comes
// from addresses that nobody expects, so that a flood of it neither fills the receiver's buffer nor wakes its owner. What is
// queued is looked at when somebody asks, to know who sends it; the rest the kernel drops and counts.
type strangers struct {
	mu     sync.Mutex // guards all but drops
	there  bool
	fd     int
	drops  dropSum
	sample sample
	most   uint64 // told so far: an estimate must not go back
}

// look reads what is queued and counted. mu is held.
func (s *strangers) look() {
	if s.there {
		s.sample.read(s.fd)
		if v, ok := socketDrops(uintptr(s.fd)); ok {
			s.drops.reading(v)
		}
	}
	s.most = max(s.most, s.sample.total(s.drops.total()))
}

func (s *strangers) separate(receiver int, expected []netip.Addr) error {
	if !s.there {
		fd, err := strangerSocketOf(receiver)
		if err != nil {
			return separateError(err)
		}
		s.fd, s.there = fd, true
	}
	program, err := steering(expected)
	if err == nil {
		err = attach(receiver, program)
	}
	if err != nil {
		everything := []unix.SockFilter{{Code: giveResult, K: expectedSocket}}
		return separateError(errors.Join(err, attach(receiver, everything)))
	}
	return nil
}

// separateError is how Separate fails.
func separateError(err error) error {
	return &net.OpError{Op: "set", Net: "udp", Err: fmt.Errorf("keep strangers out: %w", err)}
}

func attach(fd int, program []unix.SockFilter) error {
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	return os.NewSyscallError("setsockopt SO_ATTACH_REUSEPORT_CBPF", err)
}

// strangerSocketOf binds a socket to the same address. Before, nothing could be bound there beside the receiver; afterwards the
// same user could, but whoever binds as usual is still refused.
func strangerSocketOf(receiver int) (fd int, err error) {
	family, err := unix.GetsockoptInt(receiver, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt SO_DOMAIN", err)
	}
	addr, err := unix.Getsockname(receiver)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd) // nothing was sent
		}
	}()
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, sampleBuffer); err != nil {
		return 0, os.NewSyscallError("setsockopt SO_RCVBUF", err)
	}
	if family == unix.AF_INET6 {
		only, e := unix.GetsockoptInt(receiver, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		if e != nil {
			return 0, os.NewSyscallError("getsockopt IPV6_V6ONLY", e)
		}
		if err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return 0, os.NewSyscallError("setsockopt IPV6_V6ONLY", err)
		}
	}
	for _, s := range []int{receiver, fd} {
		if err = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return 0, os.NewSyscallError("setsockopt SO_REUSEPORT", err)
		}
	}
	// Offload joins datagrams before the socket is known for good: if one of the two had none, the other would lose it.
	if gro, e := unix.GetsockoptInt(receiver, unix.IPPROTO_UDP, unix.UDP_GRO); e == nil && gro != 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	}
	if err = unix.Bind(fd, addr); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

func (s *strangers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.there {
		return
	}
	s.look()
	s.there = false
	_ = unix.Close(s.fd) // it has sent nothing
}
