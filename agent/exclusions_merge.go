package agent

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"rpcapd/filter"
)

// refresh gives every running capture the exclusion that holds now. mu is held.
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

// exclusion lists addresses and ports. A NAT on this host may give what leaves any address
// of the interface that it leaves by, so those of the captured interfaces count.
func (n nearEnds) exclusion(captures map[*capturing][]netip.Addr, now time.Time) filter.Near {
	var x filter.Near
	var own, others []netip.Addr
	for end, until := range n {
		if !until.IsZero() && !now.Before(until) {
			continue
		}
		own = append(own, end.local.Addr().WithZone(""))
		if end.tcp {
			x.TCP = append(x.TCP, end.local.Port())
		} else {
			x.UDP = append(x.UDP, end.local.Port())
		}
	}
	for _, addrs := range captures {
		for _, a := range addrs {
			others = append(others, a.WithZone("").Unmap())
		}
	}
	slices.SortFunc(own, netip.Addr.Compare)
	slices.SortFunc(others, netip.Addr.Compare)
	for _, a := range append(own, others...) {
		if len(x.Addrs) < nearAddresses && !slices.Contains(x.Addrs, a) {
			x.Addrs = append(x.Addrs, a)
		}
	}
	slices.Sort(x.TCP)
	slices.Sort(x.UDP)
	x.TCP, x.UDP = slices.Compact(x.TCP), slices.Compact(x.UDP)
	return x
}
