package agent

import (
	"net/netip"
	"slices"
	"time"

	"rpcapd/filter"
	"rpcapd/iface"
)

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

// begin excludes a near end before anything is sent from it.
func (e *exclusions) begin(n near) {
	if !n.local.IsValid() { // nothing is sent
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if until, known := e.near[n]; known && until.IsZero() {
		return
	}
	e.near[n] = time.Time{}
	e.refresh()
}

// end lets a near end linger.
func (e *exclusions) end(n near) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if until, known := e.near[n]; !known || !until.IsZero() {
		return
	}
	now := time.Now()
	e.near[n] = now.Add(nearLinger)
	e.near.forget(now)
	if !e.sweeping {
		e.sweepIn(nearLinger)
	}
}

// sweepIn takes the ends that are over out of the filters after d, and again as long as some linger: there is one timer,
// however many connections end. mu is held.
func (e *exclusions) sweepIn(d time.Duration) {
	e.sweeping = true
	time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		now := time.Now()
		e.near.forget(now)
		e.refresh()
		e.sweeping = false
		if next := e.near.firstOver(); !next.IsZero() {
			e.sweepIn(max(next.Sub(now), nearSweep))
		}
	})
}

// drop forgets the near end of a connection that never was. That it is excluded until the next change does no harm.
func (e *exclusions) drop(n near) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.near, n)
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
