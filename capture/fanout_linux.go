package capture

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Fanout is one group of sources that share the frames of an interface: the
// kernel gives each frame to one member, chosen by a hash over the flow that is
// the same in both directions (PACKET_FANOUT_HASH). When a member closes, the
// others take over its share. While one joins, for the microseconds until it has its
// filter, its share is refused: better than frames that two members have. The zero value is a group without members. Later
// fragments of a datagram carry no ports and may go to another member than the
// first.
type Fanout struct {
	mu     sync.Mutex
	groups map[int]*fanoutGroup // by interface index: a deleted interface's group cannot be joined again
}

// fanoutGroup is one group of the kernel. Its id is valid while it has members.
type fanoutGroup struct {
	id      uint16
	members int
}

// join makes the bound socket of r a member of the group on its interface. The
// first member lets the kernel find a number that no other process uses.
func (f *Fanout) join(r *ring, index int, ignoreOutgoing bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := unix.PACKET_FANOUT_HASH
	if ignoreOutgoing { // the group has its own hook and forgets the socket's choice
		kind |= unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING
	}
	g := f.groups[index]
	if g != nil {
		if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, int(g.id)|kind<<16); err != nil {
			return fmt.Errorf("join fanout group %d: %w", g.id, os.NewSyscallError("setsockopt PACKET_FANOUT", err))
		}
		g.members++
		return nil
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, (kind|unix.PACKET_FANOUT_FLAG_UNIQUEID)<<16); err != nil {
		return fmt.Errorf("make fanout group: %w", os.NewSyscallError("setsockopt PACKET_FANOUT", err))
	}
	id, err := unix.GetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return fmt.Errorf("read fanout group: %w", os.NewSyscallError("getsockopt PACKET_FANOUT", err))
	}
	if f.groups == nil {
		f.groups = make(map[int]*fanoutGroup)
	}
	f.groups[index] = &fanoutGroup{id: uint16(id), members: 1}
	return nil
}

// leave is called around the close of a member's socket, so that no other joins a
// group that ends at that moment.
func (f *Fanout) leave(index int, closeSocket func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g := f.groups[index]; g != nil {
		if g.members--; g.members == 0 {
			delete(f.groups, index)
		}
	}
	return closeSocket()
}
