package agent

import (
	"slices"
	"strings"
	"time"

	"rpcapd/iface"
)

// cameUp names the interfaces that sensors may want now and could not want before: they
// are up now, or up and have an address more. Before the first look nothing is new.
func cameUp(before, now []iface.Interface) (names []string) {
	if before == nil {
		return nil
	}
	was := make(map[int]*iface.Interface, len(before))
	for i := range before {
		was[before[i].Index] = &before[i]
	}
	for i := range now {
		n := &now[i]
		if !n.Flags.Has(iface.Up) || n.Flags.Has(iface.Loopback) {
			continue
		}
		if b := was[n.Index]; b == nil || !b.Flags.Has(iface.Up) || hasMore(b.Addresses, n.Addresses) {
			names = append(names, n.Name)
		}
	}
	return names
}

// hasMore tells whether there is an address now that was not there before. Those of
// link-local scope come by themselves.
func hasMore(before, now []iface.Address) bool {
	return slices.ContainsFunc(now, func(a iface.Address) bool {
		return !a.Addr.IsLinkLocalUnicast() && !slices.ContainsFunc(before, func(b iface.Address) bool { return a.Addr == b.Addr })
	})
}

// redialForUp has a look, a little later, whether the session is held and should be dialed
// anew because of interfaces that have come up. mu is held.
func (x *session) redialForUp(up []string) {
	if p := x.status.Preselected; p != "" && slices.Contains(up, p) {
		up = []string{p}
	} else if p != "" || len(up) == 0 {
		return
	}
	if x.redial.pending {
		return
	}
	x.redial.pending = true
	why := interfaceChange{"interface " + strings.Join(up[:min(len(up), 3)], ", ") + " has come up"}
	connection := x.connection
	time.AfterFunc(max(heldIdle, time.Until(x.redial.last.Add(upPause))), func() { x.redialIfHeld(connection, why) })
}

// redialIfHeld hangs up if the sensor has let the same connection rest without a capture. A
// sensor that is at work is given the time to start one.
func (x *session) redialIfHeld(connection uint64, why interfaceChange) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.redial.pending = false
	if x.hangUp == nil || x.connection != connection || x.status.State != StateReady {
		return
	}
	if idle := time.Since(x.redial.request); idle < heldIdle {
		x.redial.pending = true
		time.AfterFunc(heldIdle-idle, func() { x.redialIfHeld(connection, why) })
		return
	}
	x.redial.last = time.Now()
	x.hangUp(why)
}

// setHangUp says how the connection is ended from outside; nil when there is none.
func (x *session) setHangUp(f func(error)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.hangUp = f
	x.connection++
}

// requested notes that the sensor has asked for something.
func (x *session) requested() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.redial.request = time.Now()
}

// interfacesChanged is called by the watcher with the interfaces that there are now and
// the names of those that have just come up (cameUp). It wakes a waiting session and ends a
// connection that no longer stands on what it should.
func (x *session) interfacesChanged(now []iface.Interface, up []string) {
	signal(x.changed)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hangUp == nil {
		return
	}
	if why := x.change(now); why != "" {
		x.hangUp(interfaceChange{why})
		return
	}
	x.redialForUp(up)
}
