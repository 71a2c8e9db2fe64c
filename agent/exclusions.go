package agent

import (
	"net/netip"
	"slices"
	"sync"

	"rpcapd/filter"
)

// exclusions knows the addresses and ports of all sensors that the sessions of
// this agent talk to, and keeps the filters of all running captures free of that
// traffic. A capture on the uplink would otherwise forward its own export, which
// makes more export.
type exclusions struct {
	mu       sync.Mutex
	owners   map[*session]ownTraffic
	captures map[*capturing]struct{}
	plain    bool // datagrams may be fragmented (plain PACKET over UDP)
}

// ownTraffic is what one session contributes: every address its sensor has, the
// control port, and the data port while a capture runs.
type ownTraffic struct {
	addrs   []netip.Addr
	control uint16
	data    uint16 // 0: none
}

func newExclusions(plain bool) *exclusions {
	return &exclusions{
		owners:   make(map[*session]ownTraffic),
		captures: make(map[*capturing]struct{}),
		plain:    plain,
	}
}

// set replaces what a session contributes and updates every running capture
// before it returns, so that the caller may connect afterwards.
func (e *exclusions) set(owner *session, t ownTraffic) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old, had := e.owners[owner]
	if had && old.control == t.control && old.data == t.data && slices.Equal(old.addrs, t.addrs) {
		return
	}
	e.owners[owner] = t
	e.refresh()
}

// setData changes the data port of a session only.
func (e *exclusions) setData(owner *session, port uint16) {
	e.mu.Lock()
	t := e.owners[owner]
	e.mu.Unlock()
	t.data = port
	e.set(owner, t)
}

// remove forgets a session that has ended for good. Sessions that merely lost
// their connection stay known: they will dial the same addresses again.
func (e *exclusions) remove(owner *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, had := e.owners[owner]; had {
		delete(e.owners, owner)
		e.refresh()
	}
}

// attach subscribes a capture and brings its filter up to date.
func (e *exclusions) attach(c *capturing) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.captures[c] = struct{}{}
	c.exclude(e.current())
}

func (e *exclusions) detach(c *capturing) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.captures, c)
}

// snapshot returns the exclusion that holds now.
func (e *exclusions) snapshot() filter.Exclusion {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current()
}

func (e *exclusions) refresh() {
	if len(e.captures) == 0 {
		return
	}
	now := e.current()
	for c := range e.captures {
		c.exclude(now)
	}
}

// current merges the contributions: one endpoint for each address and control
// port, with the data ports of all sessions to it, in a stable order.
func (e *exclusions) current() filter.Exclusion {
	type key struct {
		addr    netip.Addr
		control uint16
	}
	ports := make(map[key][]uint16)
	for _, t := range e.owners {
		for _, a := range t.addrs {
			k := key{a.WithZone(""), t.control}
			list := ports[k]
			if t.data != 0 && !slices.Contains(list, t.data) {
				list = append(list, t.data)
			}
			ports[k] = list
		}
	}
	x := filter.Exclusion{Fragments: e.plain}
	for k, list := range ports {
		slices.Sort(list)
		x.Endpoints = append(x.Endpoints, filter.Endpoint{Addr: k.addr, Control: k.control, Data: list})
	}
	slices.SortFunc(x.Endpoints, func(a, b filter.Endpoint) int {
		if c := a.Addr.Compare(b.Addr); c != 0 {
			return c
		}
		return int(a.Control) - int(b.Control)
	})
	return x
}
