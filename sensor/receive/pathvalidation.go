package receive

import (
	"net/netip"
	"slices"
	"time"
)

// maxRefuted bounds the ports of a stream that STATS have refuted. Against one who sends from a new port each time.
const maxRefuted = 32

// pathValidation is what a stream knows of its paths. The dataPort's mu guards it.
type pathValidation struct {
	state    pathState
	named    netip.AddrPort // the port that the agent has named; the zero value without one
	direct   bool           // and no NAT lies between, as far as is known
	sources  []netip.AddrPort
	start    header           // of the datagram that the active path has begun with
	readable bool             // there was one that could be read
	taken    uint64           // datagrams of the active path, and of those it was before a rebinding
	forged   uint64           // frames delivered that turned out not to be the agent's
	forger   netip.AddrPort   // who sent the last of them
	refuted  []netip.AddrPort // by STATS; at most maxRefuted
	rebound  uint64
	stats    statsMarks
	ask      chan struct{} // capacity 1: the agent's STATS are wanted soon
}

// statsMarks is where a stream and the candidates of its agent stood when that was asked for STATS. Each stream keeps its own:
// several captures of one address ask at different times.
type statsMarks struct {
	marked uint32                    // number of the newest frame when the agent was asked
	of     map[netip.AddrPort]uint32 // and of the candidates

	judged   bool // what follows is of the last STATS
	at       time.Time
	captured uint32
	grew     time.Time // when an answer has last shown more frames captured than the one before
	newest   uint64
}

// isRefuted reports whether STATS have shown that a port is not the agent's.
func (v *pathValidation) isRefuted(src netip.AddrPort) bool { return slices.Contains(v.refuted, src) }

// refute notes that these ports are not the agent's.
func (v *pathValidation) refute(ports []netip.AddrPort) {
	for _, src := range ports {
		if v.isRefuted(src) {
			continue
		}
		if len(v.refuted) >= maxRefuted {
			v.refuted = slices.Delete(v.refuted, 0, 1)
		}
		v.refuted = append(v.refuted, src)
	}
}

// wantStats has the session ask for STATS soon.
func (v *pathValidation) wantStats() {
	select {
	case v.ask <- struct{}{}:
	default:
	}
}

// namedEvent is that the named port sends.
func (v *pathValidation) namedEvent() pathEvent {
	if v.direct {
		return eventNamed
	}
	return eventNamedNAT
}
