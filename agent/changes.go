package agent

import (
	"fmt"
	"slices"

	"rpcapd/iface"
)

// interfaceChange is why a session ends and dials again at once: an interface is no
// longer what the sensor was told.
type interfaceChange struct{ why string }

func (e interfaceChange) Error() string { return e.why }

func (x *session) follow(name string, index int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.followed = followed{name, index}
}

// change tells why the interface followed is no longer the right one, "" if it is. mu is held.
//
// A name is a name: a device that was renamed is let go, and the one that has the name
// now is taken. One that was deleted is waited for by the capture itself.
func (x *session) change(now []iface.Interface) string {
	f := &x.followed
	has := slices.IndexFunc(now, func(i iface.Interface) bool { return i.Index == f.index })
	switch {
	case f.name == "":
		return ""
	case has >= 0 && !now[has].Named(f.name):
		return fmt.Sprintf("interface %s was renamed to %s", f.name, now[has].Name)
	case has >= 0 && x.agent.ifaces.ignores(&now[has]):
		return fmt.Sprintf("interface %s is left out by IgnoreInterfaces now", f.name)
	case has < 0: // deleted; the capture goes on with a new one of the same name
		if i, found := (iface.Selector{Name: f.name}).First(now); found {
			f.index = now[i].Index
		}
	}
	sel := x.target.Select
	if has >= 0 && sel.Name != "" && !now[has].Named(sel.Name) { // it was an alternative name
		return fmt.Sprintf("interface %s no longer has the name %s", f.name, sel.Name)
	}
	offered := x.agent.ifaces.offered(now)
	if i, found := sel.First(offered); found && !sel.IsZero() && offered[i].Name != f.name {
		return fmt.Sprintf("%s is on interface %s now", sel, offered[i].Name)
	}
	return ""
}

// reconsider hangs up if the connection does not agree with the new configuration.
func (x *session) reconsider(now []iface.Interface, renamed bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hangUp == nil {
		return
	}
	why := x.change(now)
	if why == "" && renamed {
		why = "the agent has another Name now"
	}
	if why != "" {
		x.hangUp(interfaceChange{why})
	}
}
