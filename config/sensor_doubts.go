package config

import (
	"net/netip"
	"path"
	"slices"
	"strings"
)

// What can be read and can hardly be meant is warned about, on its line.

// networkKeys are the keys whose values have networks in them.
var networkKeys = []string{"Address", "AllowAgents", "AllowClients", "Agents"}

// doubt looks at one line that is good as it stands.
func (p *sensorParser) doubt(s setting) {
	words := splitWords(unquote(s.value))
	if slices.Contains(networkKeys, s.key) {
		for _, w := range words {
			for _, text := range hostBits(s.key, w) {
				p.warnf(s.line, "%s", text)
			}
		}
	}
	if s.key == "Interface" {
		for _, w := range words {
			if strings.ContainsRune("!-", rune(w[0])) { // meant to exclude, it is one more name
				p.warnf(s.line, "Interface %s: this is taken as a name and excludes nothing; write the names or patterns that are wanted, as in eth*", excerpt(w))
			}
		}
	}
	if s.key == "Agents" || s.key == "Rules" {
		p.patterns = append(p.patterns, s)
	}
}

// checkPatterns warns of outputs that take nothing, because they choose a rule or an agent that is not there.
func (p *sensorParser) checkPatterns() {
	var rules, aliases []string
	for _, r := range p.sensor.Rules {
		rules = append(rules, r.Name)
	}
	for _, name := range p.sensor.Aliases {
		aliases = append(aliases, name)
	}
	slices.Sort(aliases)
	for _, s := range p.patterns {
		for _, word := range splitWords(unquote(s.value)) {
			switch {
			case s.key == "Rules" && !matchesOne(word, rules):
				p.warnf(s.line, "Rules %s: no rule has this name (%s)", excerpt(word), suggest(word, rules))
			case s.key == "Agents" && !mayBeAddress(word) && !matchesOne(word, aliases):
				cure := "Alias = ADDRESS, NAME gives an agent one"
				if len(aliases) > 0 {
					cure = suggest(word, aliases)
				}
				p.warnf(s.line, "Agents %s: no Alias has this name (%s); right only if an agent has it as its Name", excerpt(word), cure)
			}
		}
	}
}

func matchesOne(pattern string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// mayBeAddress is true for networks, and for what can match the address of an agent.
func mayBeAddress(word string) bool {
	return strings.Contains(word, "/") || strings.Trim(strings.ToLower(word), "0123456789abcdef.:*?[]-^\\") == ""
}

// checkReach warns of rules that no agent ever gets to, because one above takes all that they would.
func (p *sensorParser) checkReach() {
	for i := range p.sensor.Rules {
		later := &p.sensor.Rules[i]
		for k := range i {
			if first := &p.sensor.Rules[k]; first.covers(later) {
				p.warnf(later.Line, "rule %s is never used: rule %s on line %d matches everything that it would; put the narrower rule first, or give it another Port", later.Name, first.Name, first.Line)
				break
			}
		}
	}
}

// covers tells whether nothing is left for a later rule. The credentials of the first rule that allows an agent's address
// are the only ones that the agent is given, so that rules with others are passed over (sensor/listen.go).
func (r *Rule) covers(later *Rule) bool {
	if r.Port != later.Port || !within(later.AllowAgents, r.AllowAgents) {
		return false
	}
	if r.User != later.User || r.Password != later.Password {
		return true
	}
	return within(later.Addresses, r.Addresses) && coversNames(r.Interfaces, later.Interfaces)
}

// within tells whether all networks lie inside others; none are all networks.
func within(inner, outer []netip.Prefix) bool {
	if len(outer) == 0 {
		return true
	}
	for _, p := range inner {
		if !slices.ContainsFunc(outer, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
			return false
		}
	}
	return len(inner) > 0
}

// coversNames is true where it is certain: the same patterns, names that one of them matches, or a pattern for all.
func coversNames(outer, inner []string) bool {
	if len(outer) == 0 || slices.Contains(outer, "*") {
		return true
	}
	for _, name := range inner {
		if !slices.Contains(outer, name) && (strings.ContainsAny(name, `*?[\`) || !matchesOneOf(outer, name)) {
			return false
		}
	}
	return len(inner) > 0
}

func matchesOneOf(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matchesOne(pattern, []string{name}) })
}
