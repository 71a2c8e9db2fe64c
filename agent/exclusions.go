package agent

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"rpcapd/filter"
	"rpcapd/iface"
)

// ownTraffic is what one session contributes.
type ownTraffic struct {
	addrs   []netip.Addr   // every address that the sensor's name has
	control uint16         // at all of them
	data    netip.AddrPort // where a capture is sent to; the zero value: none. The sensor chooses the port, so it holds for the address that it has been reached at and no other
}

func newExclusions(plain bool) *exclusions {
	return &exclusions{
		owners:   make(map[*session]ownTraffic),
		captures: make(map[*capturing][]netip.Addr),
		near:     make(nearEnds),
		plain:    plain,
	}
}

// set replaces the addresses of a session's sensor and updates every running capture
// before it returns, so that the caller may connect afterwards.
func (e *exclusions) set(owner *session, addrs []netip.Addr, control uint16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, had := e.owners[owner]
	if had && t.control == control && slices.Equal(t.addrs, addrs) {
		return
	}
	t.addrs, t.control = addrs, control
	e.owners[owner] = t
	e.refresh()
}

// setData changes where a session's data goes to.
func (e *exclusions) setData(owner *session, to netip.AddrPort) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.owners[owner]
	if t.data == to {
		return
	}
	t.data = to
	e.owners[owner] = t
	e.refresh()
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

// attach subscribes a capture, whose interface has the addresses, and brings its filter
// up to date.
func (e *exclusions) attach(c *capturing, addrs []netip.Addr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.captures[c] = addrs
	e.refresh()
}

func (e *exclusions) detach(c *capturing) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.captures, c)
}

// readdress takes the addresses of the captured interfaces from a new list.
func (e *exclusions) readdress(list []iface.Interface) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.captures {
		e.captures[c] = addressesOf(list, c.info.Interface)
	}
	e.refresh()
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
// port, with the data ports that are used there, in a stable order.
func (e *exclusions) current() filter.Exclusion {
	type key struct {
		addr    netip.Addr
		control uint16
	}
	ports := make(map[key][]uint16)
	for _, t := range e.owners {
		for _, a := range t.addrs {
			k := key{a.WithZone(""), t.control}
			ports[k] = nil // known, also where no data goes
		}
	}
	for _, t := range e.owners {
		if !t.data.IsValid() {
			continue
		}
		k := key{t.data.Addr().WithZone(""), t.control}
		if !slices.Contains(ports[k], t.data.Port()) {
			ports[k] = append(ports[k], t.data.Port())
		}
	}
	x := filter.Exclusion{Fragments: e.plain}
	for k, list := range ports {
		slices.Sort(list)
		x.Endpoints = append(x.Endpoints, filter.Endpoint{Addr: k.addr, Control: k.control, Data: list})
	}
	slices.SortFunc(x.Endpoints, func(a, b filter.Endpoint) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Control, b.Control))
	})
	x.Near = e.near.exclusion(e.captures, time.Now())
	return x
}
