package pcapoverip

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Own knows the connections over which frames leave, so that their own packets, seen by an agent, are not sent over them
// again, and again. The sinks of one sensor share one: else two of them would feed each other.
type Own struct {
	mu  sync.Mutex // a leaf; held while now is replaced
	now atomic.Pointer[ownFlows]
}

// ownFlows does not change.
type ownFlows struct {
	ports []uint16               // of this end, each once
	flows map[ownFlow]netip.Addr // all connections, with the address of this end
	hosts map[[2]netip.Addr]bool // their ends without ports, in both orders
}

type ownFlow struct {
	remote netip.AddrPort
	port   uint16 // of this end; its address may be another one elsewhere on the path
}

// add takes in a connection, of which local is the address of this end.
func (o *Own) add(f ownFlow, local netip.Addr) {
	o.change(func(flows map[ownFlow]netip.Addr) { flows[f] = local })
}

// remove takes a connection out.
func (o *Own) remove(f ownFlow) {
	o.change(func(flows map[ownFlow]netip.Addr) { delete(flows, f) })
}

func (o *Own) change(edit func(map[ownFlow]netip.Addr)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := &ownFlows{flows: make(map[ownFlow]netip.Addr), hosts: make(map[[2]netip.Addr]bool)}
	if old := o.now.Load(); old != nil {
		next.flows = maps.Clone(old.flows)
	}
	edit(next.flows)
	for f, local := range next.flows {
		if !slices.Contains(next.ports, f.port) {
			next.ports = append(next.ports, f.port)
		}
		next.hosts[[2]netip.Addr{local, f.remote.Addr()}] = true
		next.hosts[[2]netip.Addr{f.remote.Addr(), local}] = true
	}
	o.now.Store(next)
}

// carries reports whether a frame is a packet of one of the connections. Where the ports cannot be seen, because the frame
// was cut in front of them or is a later fragment, each TCP packet between the two hosts counts as one: a frame too few is
// better than one that makes the next one, without end.
func (o *Own) carries(linkType uint32, data []byte) bool {
	own := o.now.Load()
	if own == nil || len(own.ports) == 0 {
		return false
	}
	p, ok := parseTCP(network(linkType, data))
	switch {
	case !ok:
		return false
	case !p.ports:
		return own.hosts[[2]netip.Addr{p.src.Addr(), p.dst.Addr()}]
	}
	return own.has(p.src, p.dst) || own.has(p.dst, p.src)
}

func (o *ownFlows) has(local, remote netip.AddrPort) bool {
	if !slices.Contains(o.ports, local.Port()) {
		return false
	}
	_, found := o.flows[ownFlow{remote, local.Port()}]
	return found
}

// plain is an address as it is in packets.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
