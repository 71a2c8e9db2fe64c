package udpsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

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

// Classic BPF, as SO_ATTACH_REUSEPORT_CBPF takes it (linux/bpf_common.h, linux/filter.h). The result is the number of the
// socket in the group.
const (
	loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	jumpEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpAlways = unix.BPF_JMP | unix.BPF_JA
	giveResult = unix.BPF_RET | unix.BPF_K

	protocol  = 0xfffff000 // SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType
	network   = 0xfff00000 // SKF_NET_OFF: the first byte of the IP header
	source4   = network + 12
	source6   = network + 8
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd

	expectedSocket = 0 // the receiver, bound first
	strangerSocket = 1

	maxInstructions = 4096 // BPF_MAXINSNS
)

// Separate keeps out what does not come from one of the addresses: the kernel refuses it before it takes room in the
// receive buffer, and counts it, see Strangers. Each call replaces the addresses; without a call everything is received.
// On an error everything is received, as if there had been no call. Errors match errors.ErrUnsupported where the system
// cannot do it; too many addresses (about 2,000, or 450 of IPv6) are an error too.
func (r *Receiver) Separate(expected []netip.Addr) error {
	s := &r.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if e := r.raw.Control(func(fd uintptr) { err = s.separate(int(fd), expected) }); e != nil {
		return e
	}
	return err
}

// Strangers counts the datagrams that Separate has kept out. It is exact while they are few or single; of super-packets that
// came too fast to be looked at it takes the average.
func (r *Receiver) Strangers() uint64 {
	s := &r.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return s.most
}

// Stranger is an address that Separate has kept out lately, the zero address without one.
func (r *Receiver) Stranger() netip.Addr {
	s := &r.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return s.sample.stranger(time.Now())
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

// steering is the program: expectedSocket for the addresses, strangerSocket for all others.
func steering(expected []netip.Addr) ([]unix.SockFilter, error) {
	var v4, v6 []unix.SockFilter
	for _, a := range expected {
		a = a.Unmap().WithZone("")
		if a.Is4() {
			ip := a.As4()
			v4 = append(v4, unix.SockFilter{Code: jumpEqual, Jf: 1, K: binary.BigEndian.Uint32(ip[:])}, unix.SockFilter{Code: giveResult, K: expectedSocket})
			continue
		}
		ip := a.As16()
		for i := uint32(0); i < 16; i += 4 {
			v6 = append(v6, unix.SockFilter{Code: loadWord, K: source6 + i},
				unix.SockFilter{Code: jumpEqual, Jf: uint8(7 - i/2), K: binary.BigEndian.Uint32(ip[i:])}) // to the next address
		}
		v6 = append(v6, unix.SockFilter{Code: giveResult, K: expectedSocket})
	}
	if n := len(v4) + len(v6) + 8; n > maxInstructions {
		return nil, fmt.Errorf("%d addresses: more than a program of the kernel has room for", len(expected))
	}
	other := unix.SockFilter{Code: giveResult, K: strangerSocket}
	p := []unix.SockFilter{
		{Code: loadHalf, K: protocol},
		{Code: jumpEqual, Jt: 1, K: etherIPv4},
		{Code: jumpAlways, K: uint32(2 + len(v4))}, // to the test for IPv6
		{Code: loadWord, K: source4},
	}
	p = append(append(p, v4...), other, unix.SockFilter{Code: jumpEqual, Jt: 1, K: etherIPv6}, other)
	return append(append(p, v6...), other), nil
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
