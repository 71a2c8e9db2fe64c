package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rpcapd/sensor"
)

// maxNamed is how many slow clients a problem names.
const maxNamed = 3

// sinkProblems is about the outputs: those that do not work, and those that drop.
func (t *tracker) sinkProblems(sinks []Sink) (list []Problem) {
	for _, s := range sinks {
		reason := strings.TrimSuffix(s.Error, ".")
		switch sensor.SinkState(s.State) {
		case sensor.SinkFailed:
			list = append(list, Problem{Severity: SeverityError, Kind: "output-failed",
				Text: fmt.Sprintf("Output %s has failed: %s.", s.Name, reason), Cure: "Remove the cause and restart the sensor."})
		case sensor.SinkRetrying:
			list = append(list, Problem{Severity: SeverityError, Kind: "output-failed",
				Text: fmt.Sprintf("Output %s does not work: %s.", s.Name, reason), Cure: "Remove the cause; the sensor tries again by itself."})
		case sensor.SinkDegraded:
			list = append(list, Problem{Severity: SeverityWarning, Kind: "output-degraded",
				Text: fmt.Sprintf("Output %s works only in part: %s.", s.Name, reason), Cure: "Remove the cause; the sensor goes on by itself."})
		}
		before := t.sinks[s.Name].oldest()
		if n := s.Dropped - min(before.Dropped, s.Dropped); n > 0 {
			list = append(list, Problem{Severity: SeverityError, Kind: "output-drops", Count: n,
				Text: fmt.Sprintf("Output %s dropped %s.", s.Name, count(n, "frame")), Cure: dropCure(&s, before)})
		}
		list = append(list, slowClients(&s, before)...)
	}
	return list
}

// dropCure says what keeps an output from taking frames, and what helps: that depends on its kind, and on which of its
// own counters have grown since before.
func dropCure(s, before *Sink) string {
	working := s.State == string(sensor.SinkRunning)
	switch s.Kind {
	case "file":
		path := cmp.Or(s.text("path"), s.Name)
		if !working || s.grown(before, "frames lost when writing failed") > 0 {
			return fmt.Sprintf("Its disk could not be written to (%s): %s. Make room or repair it; the sensor goes on by itself.", path, cmp.Or(strings.TrimSuffix(s.Error, "."), "see the log"))
		}
		return fmt.Sprintf("The disk of %s is slower than the traffic, or a classic pcap file does not take the link type: use a faster disk, no or less compression, Format = pcapng, or forward less (a filter, a smaller snap length).", path)
	case "stream":
		if s.Name == "standard output" {
			return "The program that reads standard output is slower than the traffic, has gone, or the frames have another link type than the first ones: use a faster reader, or forward less (a filter, a smaller snap length)."
		}
		return fmt.Sprintf("The disk, or the reader of the pipe, behind %s is full or slower than the traffic: make room, use a faster one, or forward less (a filter, a smaller snap length).", s.Name)
	case "pcap-over-ip":
		listener := s.text("listener")
		switch {
		case listener != "" && !working:
			return fmt.Sprintf("Nothing is connected at %s: start the program that listens there, or let the connection through the firewalls; the sensor dials again by itself.", listener)
		case listener != "":
			return fmt.Sprintf("The listener %s reads more slowly than the traffic, or a classic stream does not take the link type: give it more CPU or bandwidth, raise Buffer, use Format = pcapng, or let less through (Filter).", listener)
		}
		return "No client has read in time, or a classic stream does not take the link type: see the clients of the output; give them more CPU or bandwidth, let them ask for less (filter=...), raise Buffer, or use Format = pcapng."
	case "tap":
		name := cmp.Or(s.text("interface"), s.Name)
		switch {
		case s.grown(before, "frames that cannot be ethernet") > 0:
			return fmt.Sprintf("Frames of a link type that an Ethernet interface cannot carry do not go into %s: leave their agents out (Agents, Rules), or write them to a file.", name)
		case s.grown(before, "frames refused by the kernel") > 0 || !working:
			return fmt.Sprintf("The interface %s does not take frames: is it there and up (ip link set %s up)?", name, name)
		}
		return fmt.Sprintf("The interface %s takes frames more slowly than they come: its readers share the CPU with the sensor. Give the sensor more cores, or let less through (Filter).", name)
	}
	return "What reads it is too slow, or does not take the link type: use a faster one, or forward less (a filter, a smaller snap length)."
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
		names = append(names, fmt.Sprintf("%s (%s)", c.name, count(c.n, "frame")))
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
		Cure: "Nobody else loses by it. Give that program more CPU or bandwidth, let it ask for less (filter=... as its first line, or Filter in the section), or raise Buffer."}}
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
