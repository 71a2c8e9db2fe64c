package health

import (
	"cmp"
	"fmt"

	"rpcapd/sensor/status"
)

// transportCure is the way out where UDP does not pass. The data connections of TCP go to the same numbers.
const transportCure = "or use Transport = tcp in the rule (--tcp) and let TCP to the data ports through"

// causeCure says what helps when an agent forwards nothing, by the kind of the reason.
func causeCure(c status.Cause, p *Peer) string {
	rule := "the rule"
	if p.Rule != "" {
		rule = "[rule " + p.Rule + "]"
	}
	switch c {
	case status.CausePassword:
		return fmt.Sprintf("Make User and Password of %s those of an Account of the agent, and reload the sensor. On the agent's host rpcapd passwd NAME makes an Account line.", rule)
	case status.CauseNullAuth:
		return fmt.Sprintf("Put NullAuthPermit = YES into the agent's rpcapd.ini; or an Account there (rpcapd passwd NAME makes the line) and its name and password into %s (User, Password).", rule)
	case status.CauseDataPort:
		return fmt.Sprintf("Let TCP from the agent to this sensor's data ports (those of [data], 2003 to 2034 unless it says otherwise) through the firewalls, or use Transport = udp in %s.", rule)
	case status.CauseFilter:
		return fmt.Sprintf("Correct Filter of %s and reload the sensor; rpcap-sensor check shows the same without it. tcpdump must be installed here.", rule)
	case status.CauseFilterRefused:
		return fmt.Sprintf("Make Filter of %s shorter, with networks in place of single hosts: the agent takes at most 8,192 instructions, and its kernel may take fewer.", rule)
	case status.CauseInterfaceDown:
		return fmt.Sprintf("Set the interface up on the agent's host (ip link set %s up), or name another one: Interface in %s, ifname on the agent's ActiveClient line.", cmp.Or(p.Interface, "NAME"), rule)
	case status.CauseInterface:
		return "Look at the agent's log on its host. Check that the interface exists and that the agent can capture (root or CAP_NET_RAW)."
	case status.CauseNoInterface:
		return "Change the rule (Interface, Address) or the agent's ActiveClient line (ifname, ifaddr); the agent is asked again each minute."
	case status.CauseAddress:
		return "Add its address to AllowAgents of a rule of that port, or remove this sensor from the agents that dial here."
	case status.CauseTooMany:
		return "Raise Sessions and SessionsPerAddress in [streams] and reload the sensor, or Ports in [data] (64 at most) and restart it."
	case status.CauseProtocol:
		return "Agent and sensor use different protocols: check the agent's version and options. Agents that demand TLS, or send udpstr over TCP (ExtraHop's without -t 0), cannot be served."
	case status.CauseConnection:
		return "If you did not intend this, check that its host is up, that the agent runs (rpcapd status), and that the path is open."
	}
	return "The agent's log says more (rpcapd status on its host)."
}
