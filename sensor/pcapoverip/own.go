package pcapoverip

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"rpcapd/sensor"
)

// Own knows the connections over which frames leave, so that their own packets, seen by an agent, are not sent over them
// again, and again. The sinks of one sensor share one: else two of them would feed each other.
type Own struct {
	mu  sync.Mutex // a leaf; held while now is replaced
	now atomic.Pointer[ownFlows]
}

// ownFlows does not change.
type ownFlows struct {
	ports []uint16             // of this end, each once
	flows map[ownFlow]struct{} // all connections
}

type ownFlow struct {
	remote netip.AddrPort
	port   uint16 // of this end; its address may be another one elsewhere on the path
}

// change adds or removes a connection.
func (o *Own) change(f ownFlow, add bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := &ownFlows{flows: make(map[ownFlow]struct{})}
	if old := o.now.Load(); old != nil {
		next.flows = maps.Clone(old.flows)
	}
	if add {
		next.flows[f] = struct{}{}
	} else {
		delete(next.flows, f)
	}
	for f := range next.flows {
		if !slices.Contains(next.ports, f.port) {
			next.ports = append(next.ports, f.port)
		}
	}
	o.now.Store(next)
}

// carries reports whether a frame is a packet of one of the connections. Later fragments, which TCP has none of, are not found.
func (o *Own) carries(linkType uint32, data []byte) bool {
	own := o.now.Load()
	if own == nil || len(own.ports) == 0 {
		return false
	}
	src, dst, ok := tcpEnds(network(linkType, data))
	if !ok {
		return false
	}
	return own.has(src, dst) || own.has(dst, src)
}

func (o *ownFlows) has(local, remote netip.AddrPort) bool {
	if !slices.Contains(o.ports, local.Port()) {
		return false
	}
	_, found := o.flows[ownFlow{remote, local.Port()}]
	return found
}

// network is the IP packet in a frame, nil if there is none.
func network(linkType uint32, data []byte) []byte {
	at := 0
	switch sensor.FileLinkType(linkType) {
	case 1: // Ethernet, with up to two VLAN tags
		at = 14
		for range 2 {
			if len(data) >= at && (binary.BigEndian.Uint16(data[at-2:]) == 0x8100 || binary.BigEndian.Uint16(data[at-2:]) == 0x88a8) {
				at += 4
			}
		}
	case 101: // raw IP
	case 113: // Linux cooked
		at = 16
	case 276: // its second version
		at = 20
	default:
		return nil
	}
	return data[min(at, len(data)):]
}

// tcpEnds are the ends of a TCP packet.
func tcpEnds(ip []byte) (src, dst netip.AddrPort, ok bool) {
	const tcp = 6
	var a, b netip.Addr
	var ports []byte
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4 && ip[9] == tcp:
		a, b = netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
		ports = ip[min(int(ip[0]&15)*4, len(ip)):]
	case len(ip) >= 40 && ip[0]>>4 == 6 && ip[6] == tcp:
		a, b = netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40]))
		ports = ip[40:]
	}
	if len(ports) < 4 {
		return src, dst, false
	}
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(ports)), netip.AddrPortFrom(b, binary.BigEndian.Uint16(ports[2:])), true
}

// flowOf is how a connection is known; ok is false for one that is not TCP.
func flowOf(c *pacedConn) (f ownFlow, ok bool) {
	remote, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return f, false
	}
	local, err := netip.ParseAddrPort(c.LocalAddr().String())
	return ownFlow{netip.AddrPortFrom(remote.Addr().Unmap().WithZone(""), remote.Port()), local.Port()}, err == nil
}
