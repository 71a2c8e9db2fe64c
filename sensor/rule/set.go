package rule

import (
	"net/netip"
	"slices"
)

// Set is one generation of rules. It is immutable; what uses a rule points into it.
type Set struct {
	All   []*Rule  // in order
	Ports []uint16 // distinct, in the order of the rules
}

// NewSet makes a set of copies of the rules.
func NewSet(rules []Rule) *Set {
	rs := &Set{}
	for _, r := range slices.Clone(rules) {
		rs.All = append(rs.All, &r)
		if !slices.Contains(rs.Ports, r.Port) {
			rs.Ports = append(rs.Ports, r.Port)
		}
	}
	return rs
}

// ofPort returns the rules of one port, in order.
func (rs *Set) ofPort(port uint16) (out []*Rule) {
	for _, r := range rs.All {
		if r.Port == port {
			out = append(out, r)
		}
	}
	return out
}

// NewPorts are those that the set has and the old one has not.
func (rs *Set) NewPorts(old *Set) (out []uint16) {
	for _, port := range rs.Ports {
		if !slices.Contains(old.Ports, port) {
			out = append(out, port)
		}
	}
	return out
}

// Usable returns the rules of a port that an agent may use: of those that allow its address, the ones with the credentials of
// the first. The credentials are needed before anything else of the agent is known.
func (rs *Set) Usable(port uint16, addr netip.Addr) (out []*Rule) {
	for _, r := range rs.ofPort(port) {
		if r.allows(addr) && (len(out) == 0 || r.User == out[0].User && r.Password == out[0].Password) {
			out = append(out, r)
		}
	}
	return out
}
