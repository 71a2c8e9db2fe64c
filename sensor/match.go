package sensor

import (
	"fmt"
	"net/netip"
	"path"
	"strings"

	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/status"
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

// literal returns the one interface name of a rule that leaves no other choice, "" otherwise.
func (r *Rule) literal() string {
	if len(r.Interfaces) == 1 && len(r.Addresses) == 0 && !strings.ContainsAny(r.Interfaces[0], `*?[\`) {
		return r.Interfaces[0]
	}
	return ""
}

// wants reports whether the rule lets this interface be captured: name and address must both match where given.
func (r *Rule) wants(i *rpcap.Interface) bool {
	// ExtraHop's agent takes a name of 1,015 bytes at most and treats one with :// as a place elsewhere.
	if i.Name == "" || len(i.Name) > maxName || strings.Contains(i.Name, "://") || pseudoDevice(i.Name) && !r.names(i.Name) {
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

// pseudoDevice recognises the capture library's devices that are no network interface. They are taken only when a
// rule names them: "any" repeats what other interfaces show, the others carry no packets of the network.
func pseudoDevice(name string) bool {
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

// choice is the outcome of matching rules against an agent's interface list.
type choice struct {
	rule        *Rule
	name        string
	description string
	down        bool // by the flags of the list
	preselected bool // by the agent: there was no other choice
}

// choose takes the first rule, in order, that wants an interface of the list. With a preselected interface only that
// one can be chosen. Without one it is the first in list order that is up and not loopback, then one that is not up,
// then loopback. The error is fit to be sent to the agent.
func choose(rules []*Rule, list rpcap.InterfaceList) (choice, error) {
	if list.Len() == 0 {
		return choice{}, status.Caused(status.CauseNoInterface, "the agent has no interface")
	}
	preselected, flagged := "", false
	for i := range list.All() {
		if preselected == "" && i.Preselected() {
			preselected = i.Name
		}
		flagged = flagged || i.Flags&rpcap.InterfaceUp != 0
	}
	best, rank := make([]choice, len(rules)), make([]int, len(rules))
	for i := range list.All() {
		if preselected != "" && i.Name != preselected {
			continue
		}
		// Libraries before 1.6 fill in no flag but loopback: then none counts as down.
		level := interfaceRank(i.Flags, flagged)
		for k, r := range rules {
			if best[k].rule != nil && rank[k] <= level || !r.wants(&i) {
				continue
			}
			best[k] = choice{rule: r, name: i.Name, description: describe(&i), down: flagged && i.Flags&rpcap.InterfaceUp == 0, preselected: preselected != ""}
			rank[k] = level
		}
	}
	for _, c := range best {
		if c.rule != nil {
			return c, nil
		}
	}
	return choice{}, refusal(rules, list, preselected)
}

func interfaceRank(f rpcap.InterfaceFlags, flagged bool) int {
	switch {
	case f&rpcap.InterfaceLoopback != 0:
		return 2
	case flagged && f&rpcap.InterfaceUp == 0:
		return 1
	}
	return 0
}

// describe is the text of the description without what the agent adds to it, cut to what a file needs.
func describe(i *rpcap.Interface) string {
	d := rpcap.ParseDescription(i.Description).Text
	if len(d) > 200 {
		d = d[:200]
	}
	return strings.ToValidUTF8(d, "?")
}

// refusal says why no rule matches, in at most rpcap.MaxErrorText bytes for all but monstrous names.
func refusal(rules []*Rule, list rpcap.InterfaceList, preselected string) error {
	want := make([]string, 0, maxNamed+1)
	for _, r := range rules {
		if len(want) == maxNamed {
			want = append(want, "…")
			break
		}
		want = append(want, r.Name+" wants "+r.wish())
	}
	if preselected != "" {
		return status.Caused(status.CauseNoInterface, "the agent preselects interface %s, which no rule of this port allows (%s)",
			printable.Line(preselected, 40), strings.Join(want, "; "))
	}
	have := make([]string, 0, maxNamed+1)
	for i := range list.All() {
		if len(have) == maxNamed {
			have = append(have, "…")
			break
		}
		have = append(have, printable.Line(i.Name, 24))
	}
	return status.Caused(status.CauseNoInterface, "no interface of the agent (%s) is allowed by a rule of this port (%s)%s",
		strings.Join(have, ", "), strings.Join(want, "; "), cutNote(list))
}

// cutNote says that an agent's list is not all that it has, "" if it is.
func cutNote(list rpcap.InterfaceList) string {
	left := list.LeftOut()
	if left == (rpcap.LeftOut{}) {
		return ""
	}
	return fmt.Sprintf("; its list is too long and lacks %v: name the interface in its ActiveClient line", left)
}

// wish describes in a few words which interfaces a rule takes.
func (r *Rule) wish() string {
	var parts []string
	for i, g := range r.Interfaces {
		if i == maxNamed {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, printable.Line(g, 24))
	}
	if len(r.Addresses) > 0 {
		s := "an address in " + r.Addresses[0].String()
		if len(r.Addresses) > 1 {
			s += fmt.Sprintf(" or %d others", len(r.Addresses)-1)
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return "any network interface"
	}
	return strings.Join(parts, ", ")
}
