package health

import (
	"fmt"
	"time"

	"rpcapd/numbers"
)

const (
	// mayBeHeld is how many frames an agent of another make may hold back before its first datagram: see sensor/account.go.
	mayBeHeld = 43
	// fullDatagram is a payload, in bytes, that shows that the path takes datagrams of the usual MTU.
	fullDatagram = 1400
)

// neverArrived reports whether none of many captured frames has come.
func (p *Peer) neverArrived(now time.Time) bool {
	s := p.Session
	return s != nil && s.Received.Datagrams == 0 &&
		(p.UnaccountedSince != nil || s.Forwarded.Captured > mayBeHeld) && now.Sub(s.Since) > nothingArrives
}

// silent reports whether nothing arrives, or nothing any more, of a peer that captures.
func (p *Peer) silent(now time.Time) bool {
	return p.Running() && (p.UnaccountedSince != nil || p.neverArrived(now))
}

// silenceProblems is about frames that the agent has captured and that do not come, while no gap shows it. lost is how many
// are known to be missing lately.
func silenceProblems(p *Peer, lost uint64, now time.Time, say func(Severity, string, uint64, string, string)) {
	switch s := p.Session; {
	case p.neverArrived(now):
		say(SeverityError, "nothing-arrives", s.Forwarded.Captured,
			fmt.Sprintf("has captured %s, and none has arrived on %s port %d.", numbers.Count(s.Forwarded.Captured, "frame"), p.transport(), p.Port),
			p.silenceCure())
	case p.UnaccountedSince != nil:
		text := fmt.Sprintf("has captured %s that have neither arrived nor are known to be lost", numbers.Count(p.Unaccounted, "frame"))
		if p.LastArrival != nil {
			text += fmt.Sprintf("; the last datagram came %s ago", ago(now.Sub(*p.LastArrival)))
		}
		say(SeverityError, "unaccounted", p.Unaccounted, text+".", p.silenceCure())
	}
	if !p.NoSegmentation {
		return
	}
	severity, text := SeverityWarning, "is asked to send single datagrams, because hardly anything of its super-packets arrived"
	if lost > 0 && p.lossCure != "" { // path-loss is not said then
		severity = SeverityError
		text += fmt.Sprintf(": it lost %s between agent and sensor", numbers.Count(lost, "frame"))
	}
	say(severity, "super-packets", lost, text+".", p.singlyCure())
}

// singlyCure says that the path drops super-packets, or does not only drop those.
func (p *Peer) singlyCure() string {
	switch s := p.Session; {
	case s == nil || s.Forwarded.Captured <= mayBeHeld:
		return "The next frames show whether that helps. " + p.pathCure()
	case 2*s.Received.Frames < s.Forwarded.Captured:
		return "It has not helped: " + p.pathCure()
	}
	return "Something on the path drops what segmentation offload makes: a firewall rule by length, a tunnel, a network card. Fix it, or start the agent with --gso off; likewise the agents of other sensors behind that path."
}

// transport is the data connection's protocol.
func (p *Peer) transport() string {
	if p.TCP {
		return "TCP"
	}
	return "UDP"
}

// silenceCure is what helps when nothing comes, or nothing any more.
func (p *Peer) silenceCure() string {
	switch {
	case p.TCP:
		return fmt.Sprintf("The data connection has stalled: something between agent and sensor is full or down. Let TCP port %d through the firewalls, or use Transport = udp in the rule.", p.Port)
	case p.Stranger != "":
		return fmt.Sprintf("Datagrams from %s come to port %d instead, and are dropped: a NAT probably gives the agent's UDP another address than its control connection. Translate both alike, %s.", p.Stranger, p.Port, transportCure)
	}
	return p.pathCure()
}

// pathCure is what helps when something drops UDP without a trace.
func (p *Peer) pathCure() string {
	cure := fmt.Sprintf("Something on the path drops UDP: let port %d through the firewalls, %s. ", p.Port, transportCure)
	if p.LargestDatagram > 0 && p.LargestDatagram < fullDatagram {
		cure += fmt.Sprintf("The longest datagram that has come has %d bytes: if the path has a smaller MTU, start the agent with a smaller -t (-t 1372, say); if it drops super-packets, with --gso off. ", p.LargestDatagram)
	}
	return cure + "If rpcapd status on the agent counts errors of its datagrams, they may go to another host than the control connection (DNAT, load balancer): check that it is the same sensor."
}

// nameCauses notes for peers of which nothing comes who else sends to their data port, and what helps. Both stay when the
// session ends: then the frames are missing, for the same reason.
func (t *tracker) nameCauses(now time.Time, v *view) {
	by := make(map[uint16]string)
	for _, p := range v.ports {
		by[p.Port] = p.Stranger
	}
	for i := range v.peers {
		p := &v.peers[i]
		r := t.records[identity{p.Agent, p.Interface}]
		if r == nil || !p.Running() {
			continue
		}
		p.Stranger = ""
		if p.LastArrival == nil || p.UnaccountedSince != nil || now.Sub(*p.LastArrival) > nothingArrives {
			p.Stranger = by[p.Port]
		}
		p.lossCure = ""
		switch {
		case p.silent(now):
			p.lossCure = p.silenceCure()
		case p.NoSegmentation && p.Session != nil && p.Session.Received.Missing == 0:
			p.lossCure = p.singlyCure()
		}
		r.peer.Stranger, r.peer.lossCure = p.Stranger, p.lossCure
	}
}

// nothingArrives is how long a capture may have frames at the agent and none here before that is called a problem.
const nothingArrives = 15 * time.Second
