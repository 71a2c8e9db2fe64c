package capture

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// linkState is what rtnetlink tells about one interface.
type linkState struct {
	index  int
	arp    uint16 // ARP hardware type
	up     bool   // administratively
	missed uint64 // rx_missed_errors + rx_fifo_errors, since the device exists
}

// linkQuery asks about interfaces in the network namespace where it was opened,
// whatever thread asks later. One goroutine at a time.
type linkQuery struct {
	fd     int
	serial uint32
	buf    []byte
}

// linkAnswerTimeout guards against a kernel that never answers; it does at once.
const linkAnswerTimeout = time.Second

func newLinkQuery() (*linkQuery, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	tv := unix.NsecToTimeval(linkAnswerTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set netlink timeout: %w", err)
	}
	return &linkQuery{fd: fd, buf: make([]byte, 64<<10)}, nil
}

func (q *linkQuery) close() error { return unix.Close(q.fd) }

// byName returns ErrNoInterface (bare) when there is none.
func (q *linkQuery) byName(name string) (linkState, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return linkState{}, ErrNoInterface
	}
	attr := make([]byte, nlAlign(unix.SizeofRtAttr+len(name)+1))
	binary.NativeEndian.PutUint16(attr[0:], uint16(unix.SizeofRtAttr+len(name)+1))
	binary.NativeEndian.PutUint16(attr[2:], unix.IFLA_IFNAME)
	copy(attr[unix.SizeofRtAttr:], name)
	return q.ask(0, attr)
}

// byIndex returns ErrNoInterface (bare) when there is none.
func (q *linkQuery) byIndex(index int) (linkState, error) { return q.ask(index, nil) }

func nlAlign(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

// ask sends one RTM_GETLINK and reads its answer (rtnetlink(7)).
func (q *linkQuery) ask(index int, attr []byte) (linkState, error) {
	q.serial++
	const head = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg
	req := make([]byte, head, head+len(attr))
	req = append(req, attr...)
	binary.NativeEndian.PutUint32(req[0:], uint32(len(req)))
	binary.NativeEndian.PutUint16(req[4:], unix.RTM_GETLINK)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(req[8:], q.serial)
	binary.NativeEndian.PutUint32(req[unix.SizeofNlMsghdr+4:], uint32(index))
	if err := unix.Sendto(q.fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return linkState{}, fmt.Errorf("query interface: %w", err)
	}
	for {
		n, _, err := unix.Recvfrom(q.fd, q.buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return linkState{}, fmt.Errorf("query interface: %w", err)
		}
		msgs, err := syscall.ParseNetlinkMessage(q.buf[:n])
		if err != nil {
			return linkState{}, fmt.Errorf("query interface: %w", err)
		}
		for i := range msgs {
			if msgs[i].Header.Seq == q.serial {
				return parseLink(&msgs[i])
			}
		}
	}
}

func parseLink(m *syscall.NetlinkMessage) (linkState, error) {
	if m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4 {
		errno := unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
		if errno == unix.ENODEV {
			return linkState{}, ErrNoInterface
		}
		return linkState{}, fmt.Errorf("query interface: %w", errno)
	}
	if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
		return linkState{}, fmt.Errorf("query interface: unexpected answer of type %d", m.Header.Type)
	}
	s := linkState{
		arp:   binary.NativeEndian.Uint16(m.Data[2:]),
		index: int(int32(binary.NativeEndian.Uint32(m.Data[4:]))),
		up:    binary.NativeEndian.Uint32(m.Data[8:])&unix.IFF_UP != 0,
	}
	attrs, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return linkState{}, fmt.Errorf("query interface: %w", err)
	}
	for _, a := range attrs {
		// struct rtnl_link_stats64: the 15th and 16th counter of 64 bits.
		if a.Attr.Type == unix.IFLA_STATS64 && len(a.Value) >= 16*8 {
			s.missed = binary.NativeEndian.Uint64(a.Value[14*8:]) + binary.NativeEndian.Uint64(a.Value[15*8:])
		}
	}
	return s, nil
}
