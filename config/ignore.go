package config

import (
	"fmt"
	"slices"
	"strings"

	"rpcapd/iface"
)

// mostSessions is the largest MaxSessions: each session has a capture ring.
const mostSessions = 1024

// ignored is a pattern of an IgnoreInterfaces line.
type ignored struct {
	pattern string
	line    int
}

// ignore takes an IgnoreInterfaces line in. There may be several: if only the last one counted, the others would no longer keep
// anything out.
func (p *agentParser) ignore(s setting) error {
	list, err := parseIgnored(s.value)
	for _, pattern := range list {
		if strings.Trim(pattern, "0123456789") == "" {
			p.warnf(s.line, "IgnoreInterfaces %s: a name with a blank is written in quotation marks, as in %q", excerpt(pattern), "Ethernet 2")
		}
		p.ignored = append(p.ignored, ignored{pattern, s.line})
		p.agent.Ignore = append(p.agent.Ignore, pattern)
	}
	return err
}

// checkIgnored finds lines that name what is ignored: one of the two is not what was meant.
func (p *agentParser) checkIgnored() {
	for _, t := range p.agent.Targets {
		names := t.Select.Names
		if t.Select.Name != "" {
			names = iface.Patterns{t.Select.Name}
		}
		for _, name := range names {
			i := slices.IndexFunc(p.ignored, func(g ignored) bool { return sameOrMatched(g.pattern, name) })
			if i >= 0 && !strings.HasPrefix(name, "!") {
				g := p.ignored[i]
				at := "in the environment"
				if g.line > 0 {
					at = fmt.Sprintf("on line %d", g.line)
				}
				p.errorf(t.Line, "ifname %s: IgnoreInterfaces %s leaves it out with %s; remove one of the two", word(name), at, word(g.pattern))
			}
		}
	}
}

// CheckInterface returns an error if -i names an interface that the file ignores.
func (a Agent) CheckInterface(path string, given iface.Selector) Problems {
	for _, name := range append(slices.Clone(given.Names), given.Name) {
		i := slices.IndexFunc(a.Ignore, func(pattern string) bool { return sameOrMatched(pattern, name) })
		if i < 0 || name == "" {
			continue
		}
		p := a.Places.Problem("", "IgnoreInterfaces", fmt.Sprintf("IgnoreInterfaces leaves out with %s what -i names, %s; remove one of the two", word(a.Ignore[i]), word(name)))
		p.File = path
		return Problems{p}
	}
	return nil
}

// checkSessions looks at what MaxSessions leaves to the lines that mean several interfaces.
func (p *agentParser) checkSessions() {
	a, fixed, many := &p.agent, 0, 0
	for _, t := range a.Targets {
		switch {
		case t.Disabled != "":
		case t.Select.Many():
			many++
		default:
			fixed += t.Fanout
		}
	}
	at := p.agent.SessionLimit()
	switch {
	case a.MaxSessions > 0 && fixed > a.MaxSessions:
		p.errorf(p.lines["MaxSessions"], "MaxSessions = %d: the lines with one interface make %d sessions already; write at least that", a.MaxSessions, fixed)
	case many > 0 && fixed >= at:
		p.warnf(p.lines["MaxSessions"], "the lines with one interface make %d sessions, so MaxSessions = %d leaves none for those with a pattern; write a larger MaxSessions", fixed, at)
	case a.MaxSessions > 0 && many == 0:
		p.warnf(p.lines["MaxSessions"], "MaxSessions has no effect: no line has a pattern or several networks")
	}
}

// SessionLimit is MaxSessions, or its default.
func (a *Agent) SessionLimit() int {
	if a.MaxSessions > 0 {
		return a.MaxSessions
	}
	return DefaultMaxSessions
}
