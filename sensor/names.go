package sensor

import (
	"net/netip"
	"strconv"
	"sync"
)

// nameTable gives sessions that run at the same time different names. A name is free again when its session's
// control connection ends, so an agent that comes back finds its old one.
type nameTable struct {
	aliases map[netip.Addr]string

	mu    sync.Mutex          // a leaf
	taken map[string]struct{} // guarded by mu; "host/interface"
}

func newNameTable(aliases map[netip.Addr]string) *nameTable {
	return &nameTable{aliases: aliases, taken: make(map[string]struct{})}
}

// host is the name of an agent: its alias or its address.
func (t *nameTable) host(addr netip.Addr) string {
	if a := t.aliases[addr]; a != "" {
		return a
	}
	return addr.String()
}

// free reports whether the plain name, without "#2", is to be had.
func (t *nameTable) free(addr netip.Addr, iface string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.taken[t.host(addr)+"/"+iface]
	return !ok
}

// take returns the host part of a name that no other session has with this interface, and the function that gives it
// back, which may be called more than once.
func (t *nameTable) take(addr netip.Addr, iface string) (host string, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	base := t.host(addr)
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
