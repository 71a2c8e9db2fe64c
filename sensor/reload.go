package sensor

import (
	"context"
	"net/netip"

	"rpcapd/sensor/rule"
)

// Reload puts other rules and aliases in force while agents are connected. Nothing changes if it returns an error: a
// filter that tcpdump refuses for Ethernet or for the link type of an agent that it would go to, a port that cannot be
// opened. Otherwise each session goes on as far as it can:
//
//	only the filter of its rule has changed      UPDATEFILTER; the stream does not stop
//	another rule, interface or way to capture    STATS, ENDCAP, and on the same connection a new STARTCAP
//	no rule wants the agent any more             STATS, ENDCAP; the connection is held, as for any unwanted agent
//
// An alias is used from an agent's next capture on. ctx bounds the compilation of filters.
func (s *Sensor) Reload(ctx context.Context, rules []rule.Rule, aliases map[netip.Addr]string) error {
	if err := rule.Check(rules); err != nil {
		return err
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.control.Reload(ctx, rules, aliases)
}
