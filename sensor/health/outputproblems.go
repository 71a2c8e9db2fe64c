package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rpcapd/numbers"
	"rpcapd/sensor/sink"
)

// maxNamed is how many slow clients a problem names.
const maxNamed = 3

// sinkProblems is about the outputs: those that do not work, and those that drop. What is wrong with one is said once.
func (t *tracker) sinkProblems(sinks []Sink) (list []Problem) {
	for _, s := range sinks {
		before := t.sinks[s.Name].oldest()
		drops := s.Dropped - min(before.Dropped, s.Dropped)
		if p, found := stateProblem(&s, drops); found {
			list = append(list, p)
		} else if drops > 0 {
			list = append(list, Problem{Severity: SeverityError, Kind: "output-drops", Count: drops,
				Text: fmt.Sprintf("Output %s dropped %s.", s.Name, numbers.Count(drops, "frame")), Cure: dropCure(&s, before)})
		}
		if why := s.text("guard is off because"); why != "" {
			list = append(list, Problem{Severity: SeverityWarning, Kind: "tap-unguarded",
				Text: fmt.Sprintf("Frames on the TAP interface %s also reach this machine's own network stack, which may answer or forward them.", s.text("interface")),
				Cure: why + "."})
		}
		list = append(list, slowClients(&s, before)...)
	}
	return list
}

// stateProblem is about an output that does not work, with what it has dropped.
func stateProblem(s *Sink, drops uint64) (p Problem, found bool) {
	reason := strings.TrimSuffix(s.Error, ".")
	switch sink.State(s.State) {
	case sink.Failed:
		p = Problem{Severity: SeverityError, Kind: "output-failed",
			Text: fmt.Sprintf("Output %s has failed: %s.", s.Name, reason), Cure: "Remove the cause and restart the sensor."}
	case sink.Retrying:
		p = Problem{Severity: SeverityError, Kind: "output-failed",
			Text: fmt.Sprintf("Output %s does not work: %s.", s.Name, reason), Cure: "Remove the cause; the sensor tries again automatically."}
	case sink.Degraded:
		p = Problem{Severity: SeverityWarning, Kind: "output-degraded",
			Text: fmt.Sprintf("Output %s works only in part: %s.", s.Name, reason), Cure: "Remove the cause; the sensor continues automatically."}
		if listener := s.text("listener"); listener != "" {
			p.Text = fmt.Sprintf("Output %s is not connected to %s: %s.", s.Name, listener, cmp.Or(reason, "it was not reached yet"))
			p.Cure = "Start the program that listens there, or let the connection through the firewalls; the sensor dials again by itself."
		}
	default:
		return p, false
	}
	if p.Count = drops; drops > 0 {
		p.Severity = SeverityError
		p.Text += fmt.Sprintf(" It has dropped %s.", numbers.Count(drops, "frame"))
	}
	return p, true
}

// dropCure says what keeps an output that works from taking frames, and what helps: that depends on its kind, and on which
// of its own counters have grown since before.
func dropCure(s, before *Sink) string {
	grown := func(detail string) bool { return s.grown(before, detail) > 0 }
	failed := cmp.Or(strings.TrimSuffix(s.Error, "."), "see the log")
	switch s.Kind {
	case "file":
		path := cmp.Or(s.text("path"), s.Name)
		switch {
		case grown("files taken away"), grown("frames lost when writing failed"):
			return fmt.Sprintf("They were lost in files: %s. It works again.", failed)
		case grown("frames of another link type"):
			return fmt.Sprintf("A classic pcap file has one link type, and they have another: take Format = pcapng, or put {linktype} into Path (%s).", path)
		case grown("frames beyond the number of files"):
			return fmt.Sprintf("There are more agents than files that can be open at the same time: use fewer names in Path (%s).", path)
		}
		return fmt.Sprintf("The disk of %s is too slow for the traffic: use a faster disk, no or less compression, or forward less (a filter, a smaller snap length).", path)
	case "stream":
		switch {
		case grown("frames of another link type"):
			return "They have another link type than the first ones, and a reader such as tcpdump stops there: choose agents (AllowAgents in the rule), or write a [file]."
		case grown("frames lost when writing failed"):
			return fmt.Sprintf("They were lost in writing: %s. It works again.", failed)
		case s.text("target") == "file":
			return fmt.Sprintf("The disk of %s is too slow for the traffic: use a faster disk, or forward less (a filter, a smaller snap length).", s.Name)
		}
		return fmt.Sprintf("The program that reads %s is too slow for the traffic: use a faster reader, or forward less (a filter, a smaller snap length).", s.Name)
	case "pcap-over-ip":
		switch listener := s.text("listener"); {
		case grown("frames of another link type"):
			return "A classic stream has one link type, and they have another: take Format = pcapng, or a section with another LinkType."
		case listener != "":
			return fmt.Sprintf("The listener %s reads more slowly than frames arrive: give it more CPU or bandwidth, raise Buffer, or let less through (Filter).", listener)
		}
		return "No client has read in time: see the clients of the output; give them more CPU or bandwidth, let them ask for less (filter=...), or raise Buffer."
	case "tap":
		name := cmp.Or(s.text("interface"), s.Name)
		switch {
		case grown("frames that cannot be ethernet"):
			return fmt.Sprintf("Frames of a link type that an Ethernet interface cannot carry do not go into %s: leave their agents out (Agents, Rules), or write them to a file.", name)
		case grown("frames refused by the kernel"):
			return fmt.Sprintf("The kernel has refused them: %s. It works again.", failed)
		}
		return fmt.Sprintf("Frames arrive faster than the interface %s can take them: its readers share the CPU with the sensor. Give the sensor more cores, or let less through (Filter).", name)
	}
	return "The program that reads it is too slow: use a faster one, or forward less (a filter, a smaller snap length)."
}

// slowClients names the clients of a server that lose frames. The output itself takes them as long as one client does.
func slowClients(s, before *Sink) []Problem {
	type slow struct {
		name string
		n    uint64
	}
	var all []slow
	var sum uint64
	for _, p := range s.Parts {
		n := p.Dropped
		if i := slices.IndexFunc(before.Parts, func(o Sink) bool { return o.Name == p.Name }); i >= 0 {
			n -= min(before.Parts[i].Dropped, n)
		}
		if n > 0 && p.Kind == "client" {
			all, sum = append(all, slow{p.Name, n}), sum+n
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b slow) int {
		switch {
		case a.n > b.n:
			return -1
		case a.n < b.n:
			return 1
		}
		return 0
	})
	var names []string
	for _, c := range all[:min(len(all), maxNamed)] {
		names = append(names, fmt.Sprintf("%s (%s)", c.name, numbers.Count(c.n, "frame")))
	}
	if more := len(all) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	who := "Client"
	verb := "reads too slowly and loses"
	if len(all) > 1 {
		who, verb = "Clients", "read too slowly and lose"
	}
	return []Problem{{Severity: SeverityWarning, Kind: "slow-client", Count: sum,
		Text: fmt.Sprintf("%s of output %s %s frames: %s.", who, s.Name, verb, strings.Join(names, ", ")),
		Cure: "Other clients lose nothing. Give that program more CPU or bandwidth, let it ask for less (filter=... as its first line, or Filter in the section), or raise Buffer."}}
}

// text is what a detail says; empty if there is none.
func (s *Sink) text(detail string) string {
	for _, d := range s.Details {
		if d.Name == detail {
			return d.Text
		}
	}
	return ""
}

// number is the value of a detail; 0 if there is none.
func (s *Sink) number(detail string) uint64 {
	for _, d := range s.Details {
		if d.Name == detail && d.Number != nil {
			return *d.Number
		}
	}
	return 0
}

// grown is by how much a detail has grown.
func (s *Sink) grown(before *Sink, detail string) uint64 {
	now := s.number(detail)
	return now - min(before.number(detail), now)
}
