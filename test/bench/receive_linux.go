package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rpcapd/udpsock"
)

const (
	// receiveMemory is asked for the data port, bytes: the sensor may share its CPU with
	// the generator, and what it cannot take meanwhile is no fault of the agent.
	receiveMemory = 256 << 20
	// receiveWait is the longest that a receive waits.
	receiveWait = 20 * time.Millisecond
)

// receiver is the sensor's data port; one goroutine owns it.
type receiver interface {
	// receive waits at most receiveWait and returns how many datagrams came.
	receive() (int, error)
	// datagram returns one of them, and when it arrived, if that is known.
	datagram(i int) ([]byte, time.Time)
	port() uint16
	drops() uint64 // what did not fit into the receive buffer
	close()
}

// plainReceiver is what the sensor uses.
type plainReceiver struct {
	*udpsock.Receiver
	deadline time.Time
}

func newPlainReceiver() (receiver, error) {
	r, err := udpsock.Listen(netip.MustParseAddrPort(sensorAddr+":0"), udpsock.ListenOptions{ReceiveBuffer: receiveMemory})
	return &plainReceiver{Receiver: r}, err
}

func (r *plainReceiver) receive() (int, error) {
	// Moving the deadline for each batch would cost a timer each.
	if now := time.Now(); now.After(r.deadline.Add(-receiveWait / 2)) {
		r.deadline = now.Add(receiveWait)
	}
	n, err := r.Receive(r.deadline)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, nil
	}
	return n, err
}

func (r *plainReceiver) datagram(i int) ([]byte, time.Time) {
	_, b := r.Datagram(i)
	return b, time.Time{}
}

func (r *plainReceiver) port() uint16  { return r.Port() }
func (r *plainReceiver) drops() uint64 { return r.KernelDrops() }
func (r *plainReceiver) close()        { r.Close() }

// stampedReceiver has the kernel tell when each message reached the sensor's interface:
// what the sensor's process waits for does not count.
type stampedReceiver struct {
	fd        int
	local     uint16
	messages  [receiveBatch]message
	vectors   [receiveBatch]unix.Iovec
	controls  [receiveBatch][16]uint64
	buf       []byte
	datagrams []stamped
}

const (
	receiveBatch = 16
	receiveSlot  = 64 << 10
)

// stamped is a datagram and its arrival.
type stamped struct {
	b  []byte
	at time.Time
}

func newStampedReceiver() (receiver, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	r := &stampedReceiver{fd: fd, buf: make([]byte, receiveBatch*receiveSlot)}
	if err := r.prepare(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	for i := range r.messages {
		r.vectors[i].Base = &r.buf[i*receiveSlot]
		r.vectors[i].SetLen(receiveSlot)
		h := &r.messages[i].header
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&r.controls[i]))
	}
	return r, nil
}

func (r *stampedReceiver) prepare() error {
	if unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveMemory) != nil {
		_ = unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveMemory) // what is granted; drops are counted
	}
	for _, o := range []struct{ level, name int }{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS},
		{unix.IPPROTO_UDP, unix.UDP_GRO},
	} {
		if err := unix.SetsockoptInt(r.fd, o.level, o.name, 1); err != nil {
			return fmt.Errorf("setsockopt %d, %d: %w", o.level, o.name, err)
		}
	}
	wait := unix.NsecToTimeval(int64(receiveWait))
	if err := unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return os.NewSyscallError("setsockopt SO_RCVTIMEO", err)
	}
	if err := unix.Bind(r.fd, &unix.SockaddrInet4{Addr: netip.MustParseAddr(sensorAddr).As4()}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	name, err := unix.Getsockname(r.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	r.local = uint16(name.(*unix.SockaddrInet4).Port)
	return nil
}

func (r *stampedReceiver) receive() (int, error) {
	r.datagrams = r.datagrams[:0]
	for i := range r.messages {
		r.messages[i].header.SetControllen(int(unsafe.Sizeof(r.controls[i])))
		r.messages[i].header.Flags = 0
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(r.fd), uintptr(unsafe.Pointer(&r.messages)), receiveBatch,
		unix.MSG_WAITFORONE, 0, 0)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", errno)
	}
	for i := range int(n) {
		r.split(i)
	}
	return len(r.datagrams), nil
}

// split cuts a message into its datagrams.
func (r *stampedReceiver) split(i int) {
	b := r.buf[i*receiveSlot:][:r.messages[i].length]
	size, at := len(b), time.Time{}
	control := unsafe.Slice((*byte)(unsafe.Pointer(&r.controls[i])), int(r.messages[i].header.Controllen))
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if int(h.Len) < unix.CmsgLen(0) || int(h.Len) > len(control) {
			break
		}
		data := control[unix.CmsgLen(0):h.Len]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			size = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			at = time.Unix((*unix.Timespec)(unsafe.Pointer(&data[0])).Unix())
		}
		control = control[min(len(control), unix.CmsgSpace(len(data))):]
	}
	for size > 0 && len(b) > 0 {
		n := min(size, len(b))
		r.datagrams = append(r.datagrams, stamped{b[:n:n], at})
		b = b[n:]
	}
}

func (r *stampedReceiver) datagram(i int) ([]byte, time.Time) {
	return r.datagrams[i].b, r.datagrams[i].at
}

func (r *stampedReceiver) port() uint16 { return r.local }

func (r *stampedReceiver) drops() uint64 {
	const drops = 8 // SK_MEMINFO_DROPS of linux/sock_diag.h
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(r.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[drops])
}

func (r *stampedReceiver) close() { unix.Close(r.fd) }
