package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchBytes is about what one call takes while messages are long: the data stays in the caches of a core, and the next
	// call writes to the same memory. Twice as much costs a quarter more for full super-packets.
	batchBytes = 160 << 10
	// leastMessages of any length are taken.
	leastMessages = 2
)

func (r *Receiver) prepare(c syscall.RawConn, o ListenOptions) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = r.setOptions(int(fd), o) }); e != nil {
		return e
	}
	return err
}

func (r *Receiver) setOptions(fd int, o ListenOptions) error {
	r.granted = setBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, o.ReceiveBuffer) / 2 // getsockopt tells twice what was set
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_RXQ_OVFL", err)
	}
	if o.GRO == Off {
		return nil
	}
	err := unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	if err != nil && o.GRO == On {
		return fmt.Errorf("receive offload: %w (%w)", os.NewSyscallError("setsockopt UDP_GRO", err), errors.ErrUnsupported)
	}
	r.gro = err == nil
	return nil
}

func (r *Receiver) start(o ListenOptions) error {
	raw, err := r.conn.SyscallConn()
	if err != nil {
		return err
	}
	r.raw = raw
	r.batch = newBatch(o.Messages)
	r.messages = make([]message, o.Messages)
	r.vectors = make([]unix.Iovec, o.Messages)
	r.names = make([]unix.RawSockaddrInet6, o.Messages)
	r.controls = make([]controlBuffer, o.Messages)
	r.zones = make(map[uint32]string)
	r.most = min(leastMessages, o.Messages) // the memory of the others is touched when it is needed
	for i := range r.messages {
		slot := r.batch.slot(i)
		r.vectors[i].Base = &slot[0]
		r.vectors[i].SetLen(len(slot))
		h := &r.messages[i].header
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&r.controls[i]))
		r.rearm(i)
	}
	r.read = func(fd uintptr) bool {
		for {
			if r.received, r.errno = recvmmsg(fd, r.messages[:r.most]); r.errno != unix.EINTR {
				return r.errno != unix.EAGAIN
			}
		}
	}
	return nil
}

// rearm sets the lengths that the kernel overwrites.
func (r *Receiver) rearm(i int) {
	h := &r.messages[i].header
	h.Namelen = uint32(unsafe.Sizeof(r.names[i]))
	h.SetControllen(int(unsafe.Sizeof(r.controls[i])))
	h.Flags = 0
}

func (r *Receiver) receive() error {
	if err := r.wait(); err != nil {
		return err
	}
	if r.errno != 0 {
		return &net.OpError{Op: "read", Net: "udp", Source: r.conn.LocalAddr(), Err: os.NewSyscallError("recvmmsg", r.errno)}
	}
	bytes, truncated := 0, 0
	for i := range r.received {
		m := &r.messages[i]
		n := int(m.length)
		if m.header.Flags&unix.MSG_TRUNC != 0 {
			truncated++
		}
		c := r.controls[i].parse(int(m.header.Controllen))
		if c.hasDrops {
			r.drops.reading(c.drops)
		}
		r.batch.add(i, r.source(i), n, c.segment)
		r.rearm(i)
		bytes += n
	}
	r.most = min(len(r.messages), max(leastMessages, batchBytes*r.received/max(1, bytes)))
	r.counters.batches.Add(1)
	r.counters.messages.Add(uint64(r.received))
	r.counters.datagrams.Add(uint64(len(r.batch.datagrams)))
	r.counters.bytes.Add(uint64(bytes))
	r.counters.truncated.Add(uint64(truncated))
	return nil
}

// wait returns when messages have come. After the deadline the netpoller asks no more whether some have; their owner may
// only have been busy.
func (r *Receiver) wait() error {
	err := r.raw.Read(r.read)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	there := false
	if e := r.raw.Control(func(fd uintptr) { there = r.read(fd) }); e != nil {
		return e
	}
	if there {
		return nil
	}
	return err
}

// source is where a message came from.
func (r *Receiver) source(i int) netip.AddrPort {
	n := &r.names[i]
	if n.Family == unix.AF_INET {
		n := (*unix.RawSockaddrInet4)(unsafe.Pointer(n))
		return netip.AddrPortFrom(netip.AddrFrom4(n.Addr), networkOrder(n.Port))
	}
	ip := netip.AddrFrom16(n.Addr).Unmap()
	if n.Scope_id != 0 && ip.Is6() {
		ip = ip.WithZone(r.zone(n.Scope_id))
	}
	return netip.AddrPortFrom(ip, networkOrder(n.Port))
}

// zone returns the name of an interface as package net has it, asking the kernel once. An interface that is renamed keeps its old name here.
func (r *Receiver) zone(index uint32) string {
	name, ok := r.zones[index]
	if !ok {
		name = strconv.FormatUint(uint64(index), 10)
		if i, err := net.InterfaceByIndex(int(index)); err == nil {
			name = i.Name
		}
		r.zones[index] = name
	}
	return name
}

func (r *Receiver) pollDrops() {
	_ = r.raw.Control(func(fd uintptr) { // fails after Close only
		if v, ok := socketDrops(fd); ok {
			r.drops.reading(v)
		}
	})
}
