package control

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"rpcapd/printable"
)

// nameTable gives sessions that run at the same time different names. A name is free again when its session's
// control connection ends, so an agent that comes back finds its old one.
type nameTable struct {
	mu      sync.Mutex // a leaf; guards what follows
	aliases map[netip.Addr]string
	taken   map[string]struct{} // "host/interface"
}

func newNameTable(aliases map[netip.Addr]string) *nameTable {
	return &nameTable{aliases: aliases, taken: make(map[string]struct{})}
}

// setAliases replaces the aliases for the names given from now on. m is kept.
func (t *nameTable) setAliases(m map[netip.Addr]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aliases = m
}

// host is the name of an agent: its alias, else what it wants to be called, else its address.
func (t *nameTable) host(addr netip.Addr, wanted string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.base(addr, wanted)
}

// base is host with t.mu held.
func (t *nameTable) base(addr netip.Addr, wanted string) string {
	if a := t.aliases[addr]; a != "" {
		return a
	}
	if name := fitName(wanted); name != "" && !t.reserved(name) {
		return name
	}
	return addr.String()
}

// fitName makes what an agent wants to be called fit to be shown, and to stand before "#2" and "/eth0".
func fitName(wanted string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c == '/' || c == '#' {
			return '_'
		}
		return c
	}, printable.Name(wanted)))
}

// reserved tells whether a name belongs to another agent: no agent can take the address of one, nor its alias. t.mu is held.
func (t *nameTable) reserved(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, alias := range t.aliases {
		if alias == name {
			return true
		}
	}
	return false
}

// free reports whether the plain name, without "#2", is to be had.
func (t *nameTable) free(addr netip.Addr, wanted, iface string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.taken[t.base(addr, wanted)+"/"+iface]
	return !ok
}

// take returns the host part of a name that no other session has with this interface, and the function that gives it
// back, which may be called more than once.
func (t *nameTable) take(addr netip.Addr, wanted, iface string) (host string, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	base := t.base(addr, wanted)
	host = base
	for n := 2; ; n++ {
		if _, ok := t.taken[host+"/"+iface]; !ok {
			break
		}
		host = base + "#" + strconv.Itoa(n)
	}
	key := host + "/" + iface
	t.taken[key] = struct{}{}
	return host, sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.taken, key)
	})
}
