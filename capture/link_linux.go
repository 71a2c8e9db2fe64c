package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
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
type linkQuery struct{ sockets map[int]*nl.SocketHandle }

// linkAnswerTimeout guards against a kernel that never answers; it does at once.
const linkAnswerTimeout = time.Second

func newLinkQuery() (*linkQuery, error) {
	socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE) // in the namespace of this thread
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", os.NewSyscallError("socket", err))
	}
	timeout := unix.NsecToTimeval(linkAnswerTimeout.Nanoseconds())
	if err := socket.SetReceiveTimeout(&timeout); err != nil {
		socket.Close()
		return nil, fmt.Errorf("set netlink timeout: %w", os.NewSyscallError("setsockopt SO_RCVTIMEO", err))
	}
	return &linkQuery{map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}}}, nil
}

func (q *linkQuery) close() { q.sockets[unix.NETLINK_ROUTE].Close() }

// byName returns ErrNoInterface (bare) when there is none.
func (q *linkQuery) byName(name string) (linkState, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return linkState{}, ErrNoInterface
	}
	return q.ask(0, nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
}

// byIndex returns ErrNoInterface (bare) when there is none.
func (q *linkQuery) byIndex(index int) (linkState, error) { return q.ask(index) }

// ask sends one RTM_GETLINK and reads its answer (rtnetlink(7)).
func (q *linkQuery) ask(index int, attributes ...nl.NetlinkRequestData) (linkState, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
	request.Sockets = q.sockets
	which := nl.NewIfInfomsg(unix.AF_UNSPEC)
	which.Index = int32(index)
	request.AddData(which)
	for _, a := range attributes {
		request.AddData(a)
	}
	answers, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	switch {
	case errors.Is(err, unix.ENODEV):
		return linkState{}, ErrNoInterface
	case err != nil:
		return linkState{}, fmt.Errorf("query interface: %w", os.NewSyscallError("netlink RTM_GETLINK", err))
	case len(answers) != 1:
		return linkState{}, fmt.Errorf("query interface: %d answers", len(answers))
	}
	return parseLink(answers[0])
}

// parseLink reads an RTM_NEWLINK message without its netlink header.
func parseLink(m []byte) (linkState, error) {
	if len(m) < unix.SizeofIfInfomsg {
		return linkState{}, errors.New("query interface: short answer")
	}
	attributes, err := nl.ParseRouteAttr(m[unix.SizeofIfInfomsg:])
	if err != nil {
		return linkState{}, fmt.Errorf("query interface: %w", err)
	}
	info := nl.DeserializeIfInfomsg(m)
	s := linkState{index: int(info.Index), arp: info.Type, up: info.Flags&unix.IFF_UP != 0}
	for _, a := range attributes {
		// struct rtnl_link_stats64: the 15th and 16th counter of 64 bits.
		if a.Attr.Type == unix.IFLA_STATS64 && len(a.Value) >= 16*8 {
			s.missed = binary.NativeEndian.Uint64(a.Value[14*8:]) + binary.NativeEndian.Uint64(a.Value[15*8:])
		}
	}
	return s, nil
}
