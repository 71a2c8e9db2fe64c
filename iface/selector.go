package iface

import "net/netip"

// Selector says which interface a line of the configuration means. The zero
// value means any. Name and Net given together must both match.
type Selector struct {
	Name string       // exact, case-sensitive; alternative names count
	Net  netip.Prefix // one of the interface's addresses lies in it
}

// IsZero tells whether the selector restricts nothing.
func (s Selector) IsZero() bool { return s.Name == "" && !s.Net.IsValid() }

// String returns the selector as the configuration writes it:
// "ifname=eth1, ifaddr=10.0.0.0/8", empty for the zero value. A network of one
// address is written without its length.
func (s Selector) String() string {
	text := ""
	if s.Name != "" {
		text = "ifname=" + s.Name
	}
	if !s.Net.IsValid() {
		return text
	}
	if text != "" {
		text += ", "
	}
	if s.Net.IsSingleIP() {
		return text + "ifaddr=" + s.Net.Addr().String()
	}
	return text + "ifaddr=" + s.Net.String()
}

// Matches tells whether the selector means this interface. Any address counts,
// secondary ones too, whatever state the interface is in.
func (s Selector) Matches(i *Interface) bool {
	if s.Name != "" && !i.Named(s.Name) {
		return false
	}
	return !s.Net.IsValid() || i.Contains(s.Net)
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
