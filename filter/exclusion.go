package filter

import (
	"fmt"
	"net/netip"
	"slices"
)

// Endpoint is one address of a sensor with the ports that the agent uses there.
// The ports hold for TCP and UDP alike.
type Endpoint struct {
	Addr    netip.Addr // an IPv4-mapped address means the IPv4 one; the zone is ignored
	Control uint16     // port of the control connection; 0: none
	Data    []uint16   // data ports in use
}

// Exclusion is the own traffic of the agent. Several endpoints may have the same
// address: its ports are those of all of them.
type Exclusion struct {
	Endpoints []Endpoint
	Near      Near

	// Fragments also refuses the later IP fragments of UDP between any address
	// and a sensor. They have no ports, so foreign ones are refused with them:
	// set it only where own datagrams may be fragmented (plain PACKET data).
	Fragments bool
}

// target is one address of a sensor with all its ports, ascending.
type target struct {
	words []uint32 // the address: one word of IPv4, four of IPv6
	ports []uint32
}

// last is the word that tells addresses apart best.
func (t target) last() uint32 { return t.words[len(t.words)-1] }

// targets merges the endpoints by address and splits them by family, sorted by
// their last word, so that the same exclusion always makes the same program.
func (ex Exclusion) targets() (v4, v6 []target, err error) {
	ports := make(map[netip.Addr][]uint32)
	for n, e := range ex.Endpoints {
		addr := e.Addr.WithZone("").Unmap()
		if !addr.IsValid() {
			return nil, nil, fmt.Errorf("exclude own traffic: endpoint %d has no address", n)
		}
		list := ports[addr]
		for _, p := range append([]uint16{e.Control}, e.Data...) {
			if p != 0 {
				list = append(list, uint32(p))
			}
		}
		ports[addr] = list
	}
	for addr, list := range ports {
		slices.Sort(list)
		t := target{ports: slices.Compact(list)}
		b := addr.AsSlice()
		for ; len(b) > 0; b = b[4:] {
			t.words = append(t.words, uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
		}
		if addr.Is4() {
			v4 = append(v4, t)
		} else {
			v6 = append(v6, t)
		}
	}
	order := func(a, b target) int {
		if a.last() != b.last() {
			if a.last() < b.last() {
				return -1
			}
			return 1
		}
		return slices.Compare(a.words, b.words)
	}
	slices.SortFunc(v4, order)
	slices.SortFunc(v6, order)
	return v4, v6, nil
}

// lastWords returns the distinct last words, ascending.
func lastWords(list []target) []uint32 {
	words := make([]uint32, len(list))
	for n, t := range list {
		words[n] = t.last()
	}
	return slices.Compact(words)
}
