package filter

import "net/netip"

// Endpoint is one address of a sensor with the ports that the agent uses there.
// The ports hold for TCP and UDP alike.
type Endpoint struct {
	Addr    netip.Addr // an IPv4-mapped address means the IPv4 one; the zone is ignored
	Control uint16     // TCP port of the control connection; 0: none
	Data    []uint16   // data ports in use
}

// Exclusion is the own traffic of the agent.
type Exclusion struct {
	Endpoints []Endpoint

	// Fragments also refuses the later IP fragments of UDP between any address
	// and a sensor. They have no ports, so foreign ones are refused with them:
	// set it only where own datagrams may be fragmented (plain PACKET data).
	Fragments bool
}
