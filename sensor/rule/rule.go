package rule

import (
	"fmt"
	"net/netip"
	"path"
	"slices"

	"rpcapd/rpcap"
)

// DefaultPort is the TCP port that agents dial unless told otherwise.
const DefaultPort = 2003

// Rule says which agents and interfaces are wanted and what is asked of them. The zero value of every field but
// Name means no restriction.
type Rule struct {
	Name        string
	Port        uint16         // TCP port agents dial; 0 lets the system choose (Sensor.Addrs tells)
	Addresses   []netip.Prefix // an interface must have an address inside one of them
	Interfaces  []string       // globs; an interface's name must match one of them
	Filter      string         // tcpdump syntax, compiled by tcpdump -ddd
	Snaplen     uint32         // bytes; 0 is rpcap.MaxSnaplen
	Promiscuous bool
	Sampling    rpcap.SamplingRequest // the zero value asks for none
	AllowAgents []netip.Prefix        // source addresses that may connect
	User        string                // with a user the agent is sent a password, else null authentication
	Password    string
	TCP         bool // frames over a TCP data connection instead of UDP
}

// String is the rule without its password.
func (r Rule) String() string { return fmt.Sprintf("rule %s, port %d", r.Name, r.Port) }

// Check refuses what cannot work.
func Check(rules []Rule) error {
	if len(rules) == 0 {
		return fmt.Errorf("check options: no rule; one such as {Port: %d} accepts every agent", DefaultPort)
	}
	for i := range rules {
		r := &rules[i]
		for _, g := range r.Interfaces {
			if _, err := path.Match(g, ""); err != nil {
				return fmt.Errorf("check rule %s: interface pattern %q: %w", r.Name, g, err)
			}
		}
		if r.Snaplen > rpcap.MaxSnaplen {
			return fmt.Errorf("check rule %s: snap length %d: above %d", r.Name, r.Snaplen, rpcap.MaxSnaplen)
		}
		if len(r.User) > 65535 || len(r.Password) > 65535 {
			return fmt.Errorf("check rule %s: user name or password longer than 65535 bytes", r.Name)
		}
	}
	return nil
}

// SameCapture reports whether two rules ask for the same of an interface, but for the filter.
func (r *Rule) SameCapture(o *Rule) bool {
	return r.Name == o.Name && r.Snaplen == o.Snaplen && r.Promiscuous == o.Promiscuous && r.Sampling == o.Sampling && r.TCP == o.TCP
}

// SameInterfaces reports whether two rules want the same interfaces.
func (r *Rule) SameInterfaces(o *Rule) bool {
	return slices.Equal(r.Interfaces, o.Interfaces) && slices.Equal(r.Addresses, o.Addresses)
}
