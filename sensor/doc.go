// Package sensor is the receiving side of RPCAP in active mode: it accepts agents, gives each the first rule that
// matches, takes their frames in over UDP or TCP, accounts for every one of them and hands them to sinks.
//
//	control connections ─► package control: sessions with agents ─┐ begins, judges and ends captures
//	UDP and TCP data    ─► package receive: streams, duplicates  ◄┘ ─► hub ─► feed of each sink (behind its Selection, if it has one)
//
// This package puts the two together, and is what a program imports. It starts and stops them in order (Run), changes rules
// (Reload), sinks (ReplaceSink) and limits (SetStreams) while agents are connected, and tells what goes on (Peers, Sinks, Ports,
// Counters). It touches no message and no datagram. What sinks see of a stream is its source: "host/interface", link type,
// snap length, filter.
//
// Goroutines and locks. It has no goroutine of its own. Sensor.reloading is held by Reload, ReplaceSink and SetStreams, and while
// Run opens the ports, so that one follows the other. It comes before all other locks:
//
//	Sensor.reloading -> sink.Hub.changing -> those of package receive -> those of a sink
//	Sensor.reloading -> those of package control
//
// Limits. Everything an agent can make grow is bounded: connections in all and per address, held connections, the
// length of a message, the reorder window of a stream, the queue of a sink, the interfaces of a file, the list of
// peers that have left. A slow sink loses its own copy of a frame and counts it.
//
// A program of its own gets the frames of all agents from a Reader, in a loop; see the example of NewReader. Anything else
// that takes frames is a Sink: the packages below this one write files, serve PCAP-over-IP and feed a TAP interface. Select
// narrows any of them down to some agents, rules and frames.
//
// ReplaceSink changes the sinks while streams run: each stream goes from the old sink to the new one between two frames.
//
// Reload puts other rules in force: a changed filter goes out as UPDATEFILTER and the stream does not stop, whatever else has
// changed begins a new capture on the same connection.
package sensor
