package health

import (
	"rpcapd/sensor/status"
)

// counter is an index into counters.
type counter int

// The counters of a peer. The first ones are what the agent says, the others what the sensor has seen.
const (
	ifReceived counter = iota
	ifDropped
	ringDropped
	captured
	datagrams
	tunnelBytes
	frames
	frameBytes
	inOrder
	reordered
	lost
	late
	duplicate
	malformed
	missing
	deduplicated
	rebound
	disowned
	sinkWritten
	sinkBytes
	sinkDropped
	reconnects
	counterCount
)

// counters are sums since the sensor has started.
type counters [counterCount]uint64

// countersOf takes the numbers out of a status.
func countersOf(p *status.Peer) (c counters) {
	f, r := &p.Forwarded, &p.Received
	c[ifReceived], c[ifDropped], c[ringDropped], c[captured] = f.Received, f.InterfaceDropped, f.KernelDropped, f.Captured
	c[datagrams], c[tunnelBytes], c[frames], c[frameBytes] = r.Datagrams, r.Bytes, r.Frames, r.FrameBytes
	c[inOrder], c[reordered], c[lost], c[late] = r.InOrder, r.Reordered, r.Lost, r.Late
	c[duplicate], c[malformed], c[missing] = r.Duplicate, r.Malformed, r.Missing
	c[deduplicated], c[rebound], c[disowned] = p.Deduplicated, p.Rebound, p.Disowned
	c[sinkWritten], c[sinkBytes], c[sinkDropped] = p.Sinks.Written, p.Sinks.Bytes, p.Sinks.Dropped
	c[reconnects] = p.Reconnects
	return c
}

// add sums up what is known under one name. The sensor says of each session how many there were before it.
func (c *counters) add(o *counters) {
	again := max(c[reconnects], o[reconnects])
	for i := range c {
		c[i] += o[i]
	}
	c[reconnects] = again
}

// advance adds what has come since before: the difference where the number has grown, nothing where it has fallen,
// because then what it counted is no longer reported under this name.
func (c *counters) advance(now, before *counters) {
	for i := range c {
		if now[i] > before[i] {
			c[i] += now[i] - before[i]
		}
	}
}

// since is what has been counted after an earlier state of the same sums.
func (c *counters) since(earlier *counters) (d counters) {
	for i := range c {
		d[i] = c[i] - min(c[i], earlier[i])
	}
	return d
}
