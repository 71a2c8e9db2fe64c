package main

import (
	"cmp"
	"fmt"
	"strings"

	"rpcapd/agent"
	"rpcapd/config"
	"rpcapd/iface"
	"rpcapd/printable"
)

// explainTargets tells what each line means, and what IgnoreInterfaces leaves out. Without a list of interfaces it does not tell
// which are meant today.
func explainTargets(c *config.Agent, list []iface.Interface) (texts []string) {
	offered, several := iface.Without(list, c.Ignore), agent.Selected(c, list)
	for _, t := range c.Targets {
		switch {
		case t.Disabled != "":
			texts = append(texts, fmt.Sprintf("%s: not used: %s", placeOf(t), t.Disabled))
		case t.Select.Many():
			texts = append(texts, explainSeveral(t, &several[0], offered, list == nil))
			several = several[1:]
		default:
			texts = append(texts, explainOne(t, offered, list))
		}
	}
	if len(c.Ignore) > 0 && list != nil {
		texts = append(texts, "IgnoreInterfaces leaves out "+strings.Join(c.Ignore, ", ")+": now "+someNames(ignoredNames(c, list)))
	}
	return texts
}

// placeOf is where a line stands.
func placeOf(t config.Target) string { return cmp.Or(t.From, fmt.Sprintf("line %d", t.Line)) }

// explainOne tells what a line means that means one interface.
func explainOne(t config.Target, offered, all []iface.Interface) string {
	s := fmt.Sprintf("%s: connects to %s; ", placeOf(t), t.Address())
	switch i, found := t.Select.First(offered); {
	case t.Select.IsZero():
		s += "the sensor chooses the interface"
	case all == nil:
		s += "offers " + t.Select.String()
	case found:
		s += fmt.Sprintf("offers %s (%s)", printable.Text(offered[i].Name), t.Select)
	default:
		s += fmt.Sprintf("waits for an interface with %s, there is none now", t.Select)
		if i, ignored := t.Select.First(all); ignored {
			s += fmt.Sprintf(" (IgnoreInterfaces leaves out %s)", printable.Text(all[i].Name))
		}
	}
	if t.Fanout > 1 {
		s += fmt.Sprintf("; %d sessions share its traffic", t.Fanout)
	}
	return s
}

// explainSeveral tells what a line means that means several interfaces.
func explainSeveral(t config.Target, now *agent.LineStatus, offered []iface.Interface, unknown bool) string {
	s := fmt.Sprintf("%s: connects to %s for each interface with %s", placeOf(t), t.Address(), t.Select)
	if unknown {
		return s
	}
	s += ": now " + someNames(now.Interfaces)
	if t.Fanout > 1 {
		s += fmt.Sprintf("; %d sessions share the traffic of each", t.Fanout)
	}
	if now.RefusedCount > 0 {
		s += fmt.Sprintf("; refused, because of MaxSessions: %d interfaces, the first is %s", now.RefusedCount, printable.Text(now.Refused[0]))
	}
	if len(now.Elsewhere) > 0 {
		s += "; another line offers this sensor " + someNames(now.Elsewhere)
	}
	for _, pattern := range t.Select.Names {
		if one := (iface.Selector{Names: iface.Patterns{pattern}}); !strings.HasPrefix(pattern, "!") && len(t.Select.Names) > 1 && len(one.All(offered)) == 0 {
			s += fmt.Sprintf("; none is %s now", pattern)
		}
	}
	return s
}

// someNames lists interfaces for a reader.
func someNames(names []string) string {
	const most = 16
	switch more := len(names) - most; {
	case len(names) == 0:
		return "none"
	case more > 0:
		return fmt.Sprintf("%s and %d more", printable.Text(strings.Join(names[:most], ", ")), more)
	}
	return printable.Text(strings.Join(names, ", "))
}

func ignoredNames(c *config.Agent, list []iface.Interface) (names []string) {
	for i := range list {
		if c.Ignore.Matches(&list[i]) {
			names = append(names, list[i].Name)
		}
	}
	return names
}
