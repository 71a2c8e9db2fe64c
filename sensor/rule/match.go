package rule

import (
	"net/netip"
	"path"
	"strings"

	"rpcapd/rpcap"
	"rpcapd/sensor/address"
)

// maxNamed bounds the interfaces, patterns and rules that a refusal names.
const maxNamed = 3

// maxName is the longest interface name that every agent can be asked for, in bytes.
const maxName = 1015

// allows reports whether an agent at addr may use the rule.
func (r *Rule) allows(addr netip.Addr) bool {
	if len(r.AllowAgents) == 0 {
		return true
	}
	for _, p := range r.AllowAgents {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// names reports whether the rule names the interface literally, not by a pattern.
func (r *Rule) names(name string) bool {
	for _, g := range r.Interfaces {
		if g == name {
			return true
		}
	}
	return false
}

// Literal returns the one interface name of a rule that leaves no other choice, "" otherwise.
func (r *Rule) Literal() string {
	if len(r.Interfaces) == 1 && len(r.Addresses) == 0 && !strings.ContainsAny(r.Interfaces[0], `*?[\`) {
		return r.Interfaces[0]
	}
	return ""
}

// wants reports whether the rule lets this interface be captured: name and address must both match where given.
func (r *Rule) wants(i *rpcap.Interface) bool {
	// ExtraHop's agent takes a name of 1,015 bytes at most and treats one with :// as a place elsewhere.
	if i.Name == "" || len(i.Name) > maxName || strings.Contains(i.Name, "://") || PseudoDevice(i.Name) && !r.names(i.Name) {
		return false
	}
	if len(r.Interfaces) > 0 && !r.wantsName(i) {
		return false
	}
	return len(r.Addresses) == 0 || hasAddress(i, r.Addresses)
}

// wantsName reports whether the rule takes one of the interface's names. Our agents tell alternative ones, too.
func (r *Rule) wantsName(i *rpcap.Interface) bool {
	if r.names(i.Name) || matchesAny(r.Interfaces, i.Name) {
		return true
	}
	for _, n := range rpcap.ParseDescription(i.Description).AltNames {
		if r.names(n) || matchesAny(r.Interfaces, n) {
			return true
		}
	}
	return false
}

func matchesAny(globs []string, name string) bool {
	for _, g := range globs {
		// A backslash is part of Windows' device names; there the pattern is compared as it stands, by names.
		if ok, err := path.Match(g, name); err == nil && ok {
			return true
		}
	}
	return false
}

func hasAddress(i *rpcap.Interface, within []netip.Prefix) bool {
	for k := range i.Addresses {
		addr, ok := i.Addresses[k].Addr.Addr()
		if !ok {
			continue
		}
		addr = address.Plain(addr)
		for _, p := range within {
			if p.Contains(addr) {
				return true
			}
		}
	}
	return false
}

// PseudoDevice recognizes the capture library's devices that are no network interface. They are taken only when a
// rule names them: "any" repeats what other interfaces show, the others carry no packets of the network.
func PseudoDevice(name string) bool {
	switch name {
	case "any", "nflog", "nfqueue", "bluetooth-monitor", "dbus-system", "dbus-session", "pflog0", "pfsync0":
		return true
	}
	for _, prefix := range []string{"usbmon", "bluetooth", "netmap:", "dag", "vale"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			return true
		}
	}
	return false
}
