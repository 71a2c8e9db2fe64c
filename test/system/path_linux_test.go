package system

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// path is a bridge between the host and the sensor that treats the agent's datagrams as
// a bad network does, and counts what it did.
//
//	host eth1 ── west  path  east ── eth0 sensor
type path struct {
	fate                           atomic.Pointer[fate]
	seen, lost, doubled, postponed atomic.Uint64
}

// fate says what happens to the n-th data datagram, n = 0, 1, …
type fate func(n uint64) treatment

type treatment int

const (
	pass treatment = iota
	lose
	double   // send it twice
	postpone // send it after the next one
)

// virtioHeader is the struct virtio_net_hdr in front of each frame: checksums that are
// still to be computed, and super-packets, pass through unharmed.
const virtioHeader = 10

// newPath connects eth1 of the host with eth0 of the sensor.
func newPath(t *testing.T, lab *netlab.Lab, host, sensor *netlab.Namespace) *path {
	t.Helper()
	box := lab.Namespace("path")
	lab.Veth(host, "eth1", box, "west")
	lab.Veth(box, "east", sensor, "eth0")
	p := &path{}
	var west, east int
	box.Must(func() (err error) {
		if west, err = bridgePort(box.Link("west").Attrs().Index); err != nil {
			return err
		}
		east, err = bridgePort(box.Link("east").Attrs().Index)
		return err
	})
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	must(t, err)
	var ports sync.WaitGroup
	for _, x := range []struct {
		from, to int
		treat    bool
	}{{west, east, true}, {east, west, false}} {
		ports.Go(func() {
			if err := p.carry(x.from, x.to, stop, x.treat); err != nil {
				t.Errorf("path: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		if _, err := unix.Write(stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
			t.Error(err)
		}
		ports.Wait()
		for _, fd := range []int{west, east, stop} {
			unix.Close(fd)
		}
	})
	return p
}

// bridgePort opens an interface for frames in and out, but its own.
func bridgePort(index int) (fd int, err error) {
	if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	for _, o := range []struct{ level, name, value int }{
		{unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1},
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64 << 20},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil && o.name != unix.SO_RCVBUFFORCE {
			unix.Close(fd)
			return -1, fmt.Errorf("set option %d: %w", o.name, err)
		}
	}
	if size, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil && size < 64<<20 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<20) // as far as net.core.rmem_max
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index, Protocol: htons(unix.ETH_P_ALL)}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	promiscuous := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
	return fd, unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &promiscuous)
}

// carry copies frames from one port to the other until stop.
func (p *path) carry(from, to, stop int, treat bool) error {
	buf := make([]byte, virtioHeader+1<<17)
	var late []byte // a frame that waits for the next
	for {
		fds := []unix.PollFd{{Fd: int32(from), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if fds[1].Revents != 0 {
			return nil
		}
		if fds[0].Revents == 0 { // a signal: to read now would be to wait without an eye on stop
			continue
		}
		n, err := unix.Read(from, buf)
		if errors.Is(err, unix.ENETDOWN) {
			continue
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		send := [][]byte{buf[:n]}
		if treat && isData(buf[virtioHeader:n]) {
			send = p.treat(buf[:n], &late)
		}
		for _, f := range send {
			if _, err := unix.Write(to, f); err != nil && !errors.Is(err, unix.ENETDOWN) {
				return fmt.Errorf("send frame of %d bytes: %w", len(f), err)
			}
		}
	}
}

// treat decides what is sent now instead of a datagram.
func (p *path) treat(f []byte, late *[]byte) (send [][]byte) {
	n := p.seen.Add(1) - 1
	what := pass
	if fate := p.fate.Load(); fate != nil {
		what = (*fate)(n)
	}
	waiting := *late
	*late = nil
	switch {
	case what == lose:
		p.lost.Add(1)
	case what == double:
		p.doubled.Add(1)
		send = [][]byte{f, f}
	case what == postpone && waiting == nil:
		p.postponed.Add(1)
		*late = append([]byte{}, f...)
	default:
		send = [][]byte{f}
	}
	if waiting != nil {
		send = append(send, waiting)
	}
	return send
}

// isData says whether a frame is an IPv4 datagram for the data ports.
func isData(f []byte) bool {
	if len(f) < 42 || binary.BigEndian.Uint16(f[12:]) != 0x0800 || f[23] != unix.IPPROTO_UDP {
		return false
	}
	port := binary.BigEndian.Uint16(f[36:])
	return port >= 2003 && port < 2003+32
}
