package iface

import (
	"net/netip"
	"slices"
	"strings"
)

// Selector says which interfaces a line of the configuration means. The zero
// value means any. All parts that are given must match.
//
// Name and Net mean one interface, the first that matches. Names and Nets mean every one
// that matches, now or later.
type Selector struct {
	Name string       // exact, case-sensitive; alternative names count
	Net  netip.Prefix // one of the interface's addresses lies in it

	Names Patterns       // one of the names matches; not with Name
	Nets  []netip.Prefix // one of the addresses lies in one of these; not with Net
}

// IsZero tells whether the selector restricts nothing.
func (s Selector) IsZero() bool { return s.Name == "" && !s.Net.IsValid() && !s.Many() }

// Many tells whether the selector means every interface that matches.
func (s Selector) Many() bool { return len(s.Names) > 0 || len(s.Nets) > 0 }

// String returns the selector as the configuration writes it:
// "ifname=eth1, ifaddr=10.0.0.0/8", empty for the zero value. A network of one
// address is written without its length.
func (s Selector) String() string {
	var parts []string
	if name := s.NameText(); name != "" {
		parts = append(parts, "ifname="+name)
	}
	if networks := s.NetText(); networks != "" {
		parts = append(parts, "ifaddr="+networks)
	}
	return strings.Join(parts, ", ")
}

// NameText is the value of ifname, empty if there is none.
func (s Selector) NameText() string {
	if s.Name != "" {
		return s.Name
	}
	return strings.Join(s.Names, "/")
}

// NetText is the value of ifaddr.
func (s Selector) NetText() string {
	networks := s.Nets
	if s.Net.IsValid() {
		networks = []netip.Prefix{s.Net}
	}
	words := make([]string, len(networks))
	for n, p := range networks {
		words[n] = p.String()
		if p.IsSingleIP() {
			words[n] = p.Addr().String()
		}
	}
	return strings.Join(words, "/")
}

// Matches tells whether the selector means this interface. Any address counts,
// secondary ones too, whatever state the interface is in.
func (s Selector) Matches(i *Interface) bool {
	switch {
	case s.Name != "" && !i.Named(s.Name),
		len(s.Names) > 0 && !s.Names.Matches(i),
		s.Net.IsValid() && !i.Contains(s.Net),
		len(s.Nets) > 0 && !slices.ContainsFunc(s.Nets, i.Contains):
		return false
	}
	return true
}

// First returns the place of the first interface of the list that matches; false
// if none does.
func (s Selector) First(list []Interface) (int, bool) {
	for n := range list {
		if s.Matches(&list[n]) {
			return n, true
		}
	}
	return 0, false
}

// All returns the places of all interfaces of the list that match.
func (s Selector) All(list []Interface) (places []int) {
	for n := range list {
		if s.Matches(&list[n]) {
			places = append(places, n)
		}
	}
	return places
}

// Without returns the interfaces of a list that the patterns do not match. The list stays as it is.
func Without(list []Interface, ignored Patterns) []Interface {
	if len(ignored) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(i Interface) bool { return ignored.Matches(&i) })
}
