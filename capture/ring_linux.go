package capture

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"rpcapd/filter"
)

// noProtocol is a protocol number that no frame has (reserved, RFC 1701): a socket
// bound to it receives nothing.
const noProtocol = 0xffff

// ring is one packet socket with its mapped blocks. It is not bound when it is
// made, and so receives nothing.
type ring struct {
	*waiter // owns fd
	fd      int
	mem     []byte
	shape   geometry
	linkUp  bool // false: bound, but the interface was down
}

// newRing makes the socket in the network namespace of the calling thread. The
// order of the options matters: version and reserve before the ring.
func newRing(linkType uint32, shape geometry, retire time.Duration) (*ring, error) {
	// A cooked socket for devices without a link-layer header: frames then begin
	// with the network header whatever the device puts in front of it.
	kind := unix.SOCK_RAW
	if linkType == LinkTypeRaw {
		kind = unix.SOCK_DGRAM
	}
	fd, err := packetSocket(kind)
	if err != nil {
		return nil, err
	}
	w, err := newWaiter(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	r := &ring{waiter: w, fd: fd, shape: shape}
	if err := r.configure(retire); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// packetSocket makes a packet socket that receives nothing yet.
func packetSocket(kind int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) {
		return -1, fmt.Errorf("capturing needs CAP_NET_RAW or root: %w", os.NewSyscallError("socket", err))
	}
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return fd, nil
}

func (r *ring) configure(retire time.Duration) error {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return os.NewSyscallError("setsockopt PACKET_VERSION", err)
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, tagLen); err != nil {
		return fmt.Errorf("reserve room for VLAN tags: %w", os.NewSyscallError("setsockopt PACKET_RESERVE", err))
	}
	const frameSize = 2048 // without meaning for TPACKET_V3, but it must divide the block
	req := unix.TpacketReq3{
		Block_size:     uint32(r.shape.size),
		Block_nr:       uint32(r.shape.count),
		Frame_size:     frameSize,
		Frame_nr:       uint32(r.shape.size / frameSize * r.shape.count),
		Retire_blk_tov: uint32(max(1, retire.Milliseconds())),
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("allocate ring of %d blocks of %d bytes: %w", r.shape.count, r.shape.size, os.NewSyscallError("setsockopt PACKET_RX_RING", err))
	}
	mem, err := unix.Mmap(r.fd, 0, r.shape.size*r.shape.count, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map ring: %w", os.NewSyscallError("mmap", err))
	}
	r.mem = mem
	return nil
}

// block returns block i with a capacity that ends where it ends.
func (r *ring) block(i int) []byte {
	return r.mem[i*r.shape.size : (i+1)*r.shape.size : (i+1)*r.shape.size]
}

// newestBlock is the sequence number of the block that the kernel has begun last.
func (r *ring) newestBlock() uint64 {
	var newest uint64
	for i := range r.shape.count {
		newest = max(newest, headerOf(r.block(i)).number())
	}
	return newest
}

// attach sets or replaces the filter; the kernel changes over between two frames.
func (r *ring) attach(prog []bpf.RawInstruction) error {
	if len(prog) == 0 || len(prog) > unix.BPF_MAXINSNS {
		return fmt.Errorf("attach filter of %d instructions: %w", len(prog), os.NewSyscallError("setsockopt SO_ATTACH_FILTER", unix.EINVAL))
	}
	insns := make([]unix.SockFilter, len(prog))
	for i, p := range prog {
		insns[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(insns)), Filter: &insns[0]}
	if err := unix.SetsockoptSockFprog(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
		return fmt.Errorf("attach filter: %w", os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err))
	}
	return nil
}

func (r *ring) rejectAll() error { return r.attach(filter.RejectAll()) }

// bind starts the flow of frames; protocol is ETH_P_ALL or noProtocol. A socket that
// was bound before returns only when no frame of the old binding is on its way
// any more (synchronize_net in packet_do_bind).
func (r *ring) bind(index int, protocol uint16) error {
	sa := unix.SockaddrLinklayer{Ifindex: index, Protocol: protocol<<8 | protocol>>8}
	if err := unix.Bind(r.fd, &sa); err != nil {
		return os.NewSyscallError("bind", err)
	}
	// Binding to an interface that is down succeeds and leaves this error behind;
	// the kernel begins by itself when the interface goes up.
	errno, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	r.linkUp = err == nil && errno == 0
	return nil
}

// boundIndex is the interface that the socket is bound to, -1 after it was
// deleted: the kernel keeps this up to date (packet_notifier), so that an interface
// that was deleted and made again with the same name is never mistaken.
func (r *ring) boundIndex() int {
	sa, err := unix.Getsockname(r.fd)
	if err != nil {
		return -1
	}
	if ll, ok := sa.(*unix.SockaddrLinklayer); ok {
		return ll.Ifindex
	}
	return -1
}

// ignoreOutgoing leaves out what the interface sends; false on kernels before 4.20.
func (r *ring) ignoreOutgoing() bool {
	return unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1) == nil
}

// promiscuous holds the device in promiscuous mode until the socket is closed or
// the interface deleted; the kernel counts the holders.
func (r *ring) promiscuous(index int) error {
	req := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &req); err != nil {
		return fmt.Errorf("set promiscuous mode: %w", os.NewSyscallError("setsockopt PACKET_ADD_MEMBERSHIP", err))
	}
	return nil
}

// statistics reads the kernel's counters and resets them.
func (r *ring) statistics() (*unix.TpacketStatsV3, error) {
	st, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return nil, os.NewSyscallError("getsockopt PACKET_STATISTICS", err)
	}
	return st, nil
}

// close unmaps before it closes: the mapping holds the socket, its ring and its
// promiscuous mode.
func (r *ring) close() error {
	var err error
	if r.mem != nil {
		err = os.NewSyscallError("munmap", unix.Munmap(r.mem))
		r.mem = nil
	}
	if r.fd >= 0 {
		err = errors.Join(err, r.waiter.close())
		r.fd = -1
	}
	return err
}
