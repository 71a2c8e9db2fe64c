package health

import (
	"fmt"
	"time"
)

const (
	// mayBeHeld is how many frames an agent of another make may hold back before its first datagram: see sensor/account.go.
	mayBeHeld = 43
	// fullDatagram is a payload, in bytes, that shows that the path takes datagrams of the usual MTU.
	fullDatagram = 1400
)

// silenceProblems is about frames that the agent has captured and that do not come, while no gap shows it.
func silenceProblems(p *Peer, now time.Time, say func(Severity, string, uint64, string, string)) {
	s := p.Session
	never := s != nil && s.Received.Datagrams == 0
	switch {
	case never && (p.UnaccountedSince != nil || s.Forwarded.Captured > mayBeHeld) && now.Sub(s.Since) > nothingArrives:
		say(SeverityError, "nothing-arrives", s.Forwarded.Captured,
			fmt.Sprintf("has captured %s, and none has arrived on %s port %d.", count(s.Forwarded.Captured, "frame"), p.transport(), p.Port),
			p.silenceCure())
	case p.UnaccountedSince != nil:
		text := fmt.Sprintf("has captured %s that have neither arrived nor are known to be lost", count(p.Unaccounted, "frame"))
		if p.LastArrival != nil {
			text += fmt.Sprintf("; the last datagram came %s ago", ago(now.Sub(*p.LastArrival)))
		}
		say(SeverityError, "unaccounted", p.Unaccounted, text+".", p.silenceCure())
	}
	if p.NoSegmentation {
		p.singlyProblem(say)
	}
}

// singlyProblem says that the path drops super-packets, or does not only drop those.
func (p *Peer) singlyProblem(say func(Severity, string, uint64, string, string)) {
	cure := "Something on the path drops what segmentation offload makes: a firewall rule by length, a tunnel, a network card. Mend it, or start the agent with --gso off; likewise the agents of other sensors behind that path."
	switch s := p.Session; {
	case s == nil || s.Forwarded.Captured <= mayBeHeld:
		cure = "Whether that helps will show with the next frames. " + p.pathCure()
	case 2*s.Received.Frames < s.Forwarded.Captured:
		cure = "It has not helped: " + p.pathCure()
	}
	say(SeverityWarning, "super-packets", 0, "is asked to send single datagrams, because hardly anything of its super-packets arrived.", cure)
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
		return fmt.Sprintf("The data connection stands still: is something between agent and sensor full or down? Let TCP port %d through the firewalls, or use Transport = udp in the rule.", p.Port)
	case p.Stranger != "":
		return fmt.Sprintf("Datagrams from %s come to port %d instead, and are dropped: a NAT may give the agent's UDP another address than its control connection. Translate both alike, %s.", p.Stranger, p.Port, transportCure)
	}
	return p.pathCure()
}

// pathCure is what helps when something drops UDP without a trace.
func (p *Peer) pathCure() string {
	cure := fmt.Sprintf("Something on the path drops UDP: let port %d through the firewalls, %s. ", p.Port, transportCure)
	if p.LargestDatagram > 0 && p.LargestDatagram < fullDatagram {
		cure += fmt.Sprintf("The longest datagram that has come has %d bytes: if the path has a smaller MTU, start the agent with a smaller -t (-t 1372, say); if it drops super-packets, with --gso off. ", p.LargestDatagram)
	}
	return cure + "If rpcapd status on the agent counts errors of its datagrams, they may go to another host than the control connection (DNAT, load balancer): is it the same sensor?"
}

// nameStrangers notes for peers of which nothing comes who else sends to their data port.
func (v *view) nameStrangers(now time.Time) {
	by := make(map[uint16]string)
	for _, p := range v.ports {
		by[p.Port] = p.Stranger
	}
	for i := range v.peers {
		p := &v.peers[i]
		if p.Running() && (p.LastArrival == nil || now.Sub(*p.LastArrival) > nothingArrives) {
			p.Stranger = by[p.Port]
		}
	}
}
