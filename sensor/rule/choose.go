package rule

import (
	"errors"
	"fmt"
	"strings"

	"rpcapd/printable"
	"rpcapd/rpcap"
)

// Choice is the outcome of matching rules against an agent's interface list.
type Choice struct {
	Rule        *Rule
	Name        string
	Description string
	Down        bool // by the flags of the list
	Preselected bool // by the agent: there was no other choice
}

// Choose takes the first rule, in order, that wants an interface of the list. With a preselected interface only that
// one can be chosen. Without one it is the first in list order that is up and not loopback, then one that is not up,
// then loopback. The error is fit to be sent to the agent.
func Choose(rules []*Rule, list rpcap.InterfaceList) (Choice, error) {
	if list.Len() == 0 {
		return Choice{}, errors.New("the agent has no interface")
	}
	preselected, flagged := "", false
	for i := range list.All() {
		if preselected == "" && i.Preselected() {
			preselected = i.Name
		}
		flagged = flagged || i.Flags&rpcap.InterfaceUp != 0
	}
	best, rank := make([]Choice, len(rules)), make([]int, len(rules))
	for i := range list.All() {
		if preselected != "" && i.Name != preselected {
			continue
		}
		// Libraries before 1.6 fill in no flag but loopback: then none counts as down.
		level := interfaceRank(i.Flags, flagged)
		for k, r := range rules {
			if best[k].Rule != nil && rank[k] <= level || !r.wants(&i) {
				continue
			}
			best[k] = Choice{Rule: r, Name: i.Name, Description: describe(&i), Down: flagged && i.Flags&rpcap.InterfaceUp == 0, Preselected: preselected != ""}
			rank[k] = level
		}
	}
	for _, c := range best {
		if c.Rule != nil {
			return c, nil
		}
	}
	return Choice{}, refusal(rules, list, preselected)
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
		return fmt.Errorf("the agent preselects interface %s, which no rule of this port allows (%s)",
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
	return fmt.Errorf("no interface of the agent (%s) is allowed by a rule of this port (%s)%s",
		strings.Join(have, ", "), strings.Join(want, "; "), CutNote(list))
}

// CutNote says that an agent's list is not all that it has, "" if it is.
func CutNote(list rpcap.InterfaceList) string {
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
