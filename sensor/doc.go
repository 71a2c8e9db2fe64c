// Package sensor is the receiving side of RPCAP in active mode: it accepts agents, gives each the first rule that
// matches, receives their frames over UDP or TCP, accounts for every frame, and passes the frames to sinks.
//
//	control connections ─► package control: sessions with agents ─┐ begins, judges and ends captures
//	UDP and TCP data    ─► package receive: streams, duplicates  ◄┘ ─► hub ─► feed of each sink (behind its Selection, if it has one)
//
// Programs import this package, which combines the two. It starts and stops them in order (Run), changes rules
// (Reload), sinks (ReplaceSink) and limits (SetStreams) while agents are connected, and reports the status (Peers, Sinks, Ports,
// Counters). It handles no message and no datagram. Sinks see the source of a stream: "host/interface", link type,
// snap length, filter.
//
// Goroutines and locks. The package has no goroutine of its own. Sensor.reloading is held by Reload, ReplaceSink and SetStreams, and while
// Run opens the ports, so that one follows the other. It comes before all other locks:
//
//	Sensor.reloading -> sink.Hub.changing -> those of package receive -> those of a sink
//	Sensor.reloading -> those of package control
//
// Limits. Everything that an agent can make grow is bounded: connections in all and per address, held connections, the
// length of a message, the reorder window of a stream, the queue of a sink, the interfaces of a file, the list of
// peers that have left. A slow sink loses its own copy of a frame and counts it.
//
// To read the frames of all agents in a loop, use a Reader; see the example of NewReader. Every other consumer of
// frames is a Sink: the packages below this one write files, serve PCAP-over-IP, and feed a TAP interface. Select
// restricts a sink to some agents, rules, and frames.
//
// ReplaceSink changes the sinks while streams run: each stream changes from the old sink to the new one between two frames.
//
// Reload replaces the rules. For a changed filter, the sensor sends UPDATEFILTER, and the stream continues. Any other
// change begins a new capture on the same connection.
package sensor
