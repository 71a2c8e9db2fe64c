package health

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"rpcapd/numbers"
	"rpcapd/sensor/status"
)

const (
	// clockTolerance is how far an agent's clock may be off, in seconds.
	clockTolerance = 1.0
	// manyReconnects within the window are a problem, manyDuplicates are worth a word (share of datagrams).
	manyReconnects = 3
	manyDuplicates = 0.01
	// leftRecently is how long a peer that has left because of an error is a problem.
	leftRecently = 10 * time.Minute
)

// problems says what is wrong. Counters count only if they have grown within the last minutes.
func (t *tracker) problems(now time.Time, v *view) []Problem {
	var list []Problem
	dropping := make(map[uint16]bool) // ports whose receive buffer overflows
	list = append(list, t.portProblems(v.ports, dropping)...)
	list = append(list, t.sinkProblems(v.sinks)...)
	list = append(list, t.sensorProblems(v)...)
	for i := range v.peers {
		p := &v.peers[i]
		if r := t.records[identity{p.Agent, p.Interface}]; r != nil {
			diff := r.sums.since(r.recent.oldest())
			list = append(list, peerProblems(p, &diff, now, dropping[p.Port])...)
		}
	}
	return condense(list)
}

func (t *tracker) portProblems(ports []Port, dropping map[uint16]bool) (list []Problem) {
	list = append(list, smallBuffer(ports)...)
	for _, p := range ports {
		before := t.ports[p.Port].oldest()
		if n := p.ReceiveBufferDrops - min(before.ReceiveBufferDrops, p.ReceiveBufferDrops); n > 0 {
			dropping[p.Port] = true
			list = append(list, Problem{
				Severity: SeverityError, Kind: "receive-buffer", Count: n,
				Text: fmt.Sprintf("The sensor's receive buffer dropped %s on port %d.", numbers.Count(n, "datagram"), p.Port),
				Cure: "Raise net.core.rmem_max (sysctl -w net.core.rmem_max=67108864) and restart the sensor, or give it more CPU; more ports ([data] Ports) spread the load.",
			})
		}
		if n := p.Foreign - min(before.Foreign, p.Foreign); n > 0 {
			list = append(list, Problem{
				Severity: SeverityInfo, Kind: "foreign", Count: n,
				Text: fmt.Sprintf("%s on port %d belonged to no capture and %s dropped%s.", numbers.Count(n, "datagram"), p.Port, were(n), lastFrom(p.Stranger)),
				Cure: "A few come from captures that have just ended. Many come from a stranger, from an agent whose data has another source address than its control connection, or from a flood: let the firewall admit only the agents.",
			})
		}
	}
	return list
}

// smallBuffer is said once for all ports: the limit is the machine's.
func smallBuffer(ports []Port) []Problem {
	i := slices.IndexFunc(ports, func(p Port) bool { return p.ReceiveBuffer > 0 && p.ReceiveBuffer < p.ReceiveBufferAsked })
	if i < 0 {
		return nil
	}
	p := ports[i]
	return []Problem{{
		Severity: SeverityWarning, Kind: "small-buffer",
		Text: fmt.Sprintf("The kernel granted the data ports a receive buffer of %s; the sensor asked for %s. The kernel drops what exceeds it in a burst.", kib(p.ReceiveBuffer), kib(p.ReceiveBufferAsked)),
		Cure: fmt.Sprintf("Raise the limit (sysctl -w net.core.rmem_max=%d, and in /etc/sysctl.d for the next boot) and restart the sensor.", p.ReceiveBufferAsked),
	}}
}

// kib writes a number of bytes in KiB.
func kib(n int) string { return numbers.Commas(uint64(n)/1024) + " KiB" }

func (t *tracker) sensorProblems(v *view) (list []Problem) {
	before := t.recent.oldest()
	if n := v.unwanted - min(before.unwanted, v.unwanted); n > 0 {
		list = append(list, Problem{Severity: SeverityWarning, Kind: "refused", Count: n,
			Text: fmt.Sprintf("%s %s turned away: no rule of the port allows the address.", numbers.Count(n, "connection"), were(n)),
			Cure: "Add the address to AllowAgents of a rule, or find out who connects; the log has the addresses."})
	}
	if n := v.crowded - min(before.crowded, v.crowded); n > 0 {
		list = append(list, Problem{Severity: SeverityWarning, Kind: "refused", Count: n,
			Text: fmt.Sprintf("%s %s turned away: there are too many sessions, in all or of one address.", numbers.Count(n, "connection"), were(n)),
			Cure: "Raise Sessions or SessionsPerAddress in [streams] and reload the sensor, or find out who connects; the log has the addresses."})
	}
	if n := v.silent - min(before.silent, v.silent); n > 0 {
		list = append(list, Problem{Severity: SeverityInfo, Kind: "never-answered", Count: n,
			Text: fmt.Sprintf("%s ended before the other side answered anything.", numbers.Count(n, "connection")),
			Cure: "Health checks and port scans cause this; the log has the addresses. If an agent is among them, check in its log whether it expects TLS or another protocol."})
	}
	if len(v.peers) == 0 && v.status.Accepted == 0 {
		list = append(list, Problem{Severity: SeverityInfo, Kind: "no-agents",
			Text: "No agent has connected yet.",
			Cure: "On the agent's host: rpcapd setup --sensor ADDRESS-OF-THIS-SENSOR, or the lines ActiveClient = ADDRESS-OF-THIS-SENSOR, 2003 and NullAuthPermit = YES (or an Account) in its rpcapd.ini. Let TCP port 2003 and UDP ports 2003 to 2034, or those of the sensor's file, through the firewall."})
	}
	return list
}

// peerProblems looks at one peer; diff is what was counted lately.
func peerProblems(p *Peer, diff *counters, now time.Time, portDrops bool) (list []Problem) {
	say := func(s Severity, kind string, n uint64, text, cure string) {
		list = append(list, Problem{Severity: s, Kind: kind, Peer: p.Name, Count: n, Text: p.Name + " " + text, Cure: cure})
	}
	stateProblems(p, diff, now, say)
	if n := diff[ringDropped]; n > 0 {
		say(SeverityError, "agent-ring", n,
			fmt.Sprintf("drops frames in its ring: %s, %s of what its filter accepts.", numbers.Commas(n), share(n, diff[ifReceived])),
			"Give the agent a larger ring (-z) or more cores (fanout = 2 on its ActiveClient line), or forward less (a filter, a smaller snap length).")
	}
	if n := diff[ifDropped]; n > 0 {
		say(SeverityError, "agent-interface", n, fmt.Sprintf("loses %s in its network card or driver.", numbers.Count(n, "frame")),
			"Enlarge the card's receive ring on the agent's host (ethtool -G).")
	}
	lossProblems(p, diff, portDrops, say)
	if c := p.ClockOffset; c != nil && p.Ended == nil && math.Abs(*c) >= clockTolerance {
		way := "ahead of"
		if *c < 0 {
			way = "behind"
		}
		say(SeverityWarning, "clock", 0, fmt.Sprintf("has a clock that is %s %s the sensor's; its frames carry that time.", seconds(math.Abs(*c)), way),
			"Synchronize both clocks (NTP, chrony).")
	}
	return list
}

// stateProblems is about whether it forwards at all.
func stateProblems(p *Peer, diff *counters, now time.Time, say func(Severity, string, uint64, string, string)) {
	switch {
	case p.Ended != nil:
		// An end without a cause is one that the sensor has brought about.
		if p.Reason != "" && p.Cause != "" && now.Sub(*p.Ended) < leftRecently {
			say(SeverityWarning, "left", 0, fmt.Sprintf("has left %s ago: %s.", ago(now.Sub(*p.Ended)), strings.TrimSuffix(p.Reason, ".")),
				causeCure(status.Cause(p.Cause), p))
		}
	case p.State == string(status.StateHeld):
		say(SeverityWarning, "held", 0, "is held and forwards nothing: "+strings.TrimSuffix(p.Reason, ".")+".", causeCure(status.Cause(p.Cause), p))
	case p.Running() && p.Reason != "":
		severity := SeverityWarning
		if p.Cause == string(status.CauseInterfaceDown) {
			severity = SeverityError
		}
		say(severity, "impaired", 0, "is running, but: "+strings.TrimSuffix(p.Reason, ".")+".", causeCure(status.Cause(p.Cause), p))
	}
	if p.Running() {
		silenceProblems(p, diff[missing], now, say)
	}
}

// lossProblems is about what does not arrive or not as it should.
func lossProblems(p *Peer, diff *counters, portDrops bool, say func(Severity, string, uint64, string, string)) {
	if n := diff[missing]; n > 0 && (!p.Running() || p.lossCure == "") {
		cure := "Look for drops on the agent's sending side (rpcapd status) and on the path; limit its rate (MaxRate in its rpcapd.ini), check the MTU (-t)."
		switch {
		case p.lossCure != "":
			cure = p.lossCure
		case p.Stranger != "", 10*n >= 9*(n+diff[frames]): // nearly all
			cure = p.silenceCure()
		}
		if portDrops {
			cure = fmt.Sprintf("The sensor's receive buffer on port %d drops datagrams; fix that first.", p.Port)
		}
		say(SeverityError, "path-loss", n, fmt.Sprintf("lost %s between agent and sensor, %s.", numbers.Count(n, "frame"), share(n, n+diff[frames])), cure)
	}
	if n := diff[late]; n > 0 {
		say(SeverityWarning, "late", n, fmt.Sprintf("sent %s that came too late to be put in order.", numbers.Count(n, "datagram")),
			"The path reorders widely: raise Hold and Window in [streams].")
	}
	if n := diff[disowned]; n > 0 {
		say(SeverityWarning, "disowned", n, fmt.Sprintf("shares its address with another sender%s: %s of it went out before STATS or the agent's own datagrams showed that.",
			from(p.DisownedSource), numbers.Count(n, "frame")),
			"A process at the agent's address, or another host behind the same NAT, sends datagrams in the agent's name: find it by that port, and keep others away from the data ports.")
	}
	if n := diff[rebound]; n > 0 {
		say(SeverityInfo, "rebound", n, fmt.Sprintf("has sent from another source port since a NAT on the way changed it, %s; it is %s now.", numbers.Count(n, "time"), p.Source),
			"The sensor has found the new port. If frames are missing or this repeats, exempt the data ports from that NAT, or raise its time-out for UDP.")
	}
	if n := diff[malformed]; n > 0 {
		say(SeverityWarning, "malformed", n, fmt.Sprintf("sent %s that cannot be read.", numbers.Count(n, "datagram")),
			"The agent sends a format that the sensor does not know, or a device on the path changes datagrams: check the make and version of the agent.")
	}
	if n := diff[duplicate]; float64(n) > manyDuplicates*float64(diff[datagrams]) {
		say(SeverityInfo, "duplicate", n, fmt.Sprintf("sent %s twice; what came second was dropped.", numbers.Count(n, "datagram")),
			"The path doubles datagrams (mirroring, bonding): harmless, but it costs bandwidth.")
	}
	if n := diff[reconnects]; n >= manyReconnects {
		text := fmt.Sprintf("has reconnected %s times lately", numbers.Commas(n))
		if p.LastError != "" {
			text += "; last error: " + strings.TrimSuffix(p.LastError, ".")
		}
		say(SeverityWarning, "reconnects", n, text+".", "Check whether the path is stable, and whether the agent restarts (see its log). Frames between two sessions are not captured.")
	}
}

// from names a sender, if one is known.
func from(source string) string {
	if source == "" {
		return ""
	}
	return ", " + source
}

// lastFrom names a stranger, if one is known.
func lastFrom(stranger string) string {
	if stranger == "" {
		return ""
	}
	return "; the last came from " + stranger
}

// were is the verb for a number of things.
func were(n uint64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// seconds is a duration for people.
func seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return ago(time.Duration(s * float64(time.Second)))
}
