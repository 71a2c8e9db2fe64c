// Package sensor is the receiving side of RPCAP in active mode: it accepts agents, gives each the first rule that
// matches, takes their frames in over UDP or TCP, accounts for every one of them and hands them to sinks.
//
//	TCP accept per rule port -> session: AUTH -> FINDALLIF -> rule and interface -> OPEN -> STARTCAP -> STATS every 5 s
//	UDP port of the range    -> demultiplex by source -> Reassembler (udpstr) or plain PACKET -> every sink's feed
//
// What is told apart by what:
//
//	listener   one per distinct rule port; an agent's rules are those of that port whose AllowAgents has its address
//	session    one control connection; it has at most one capture at a time
//	stream     the frames of one STARTCAP; on a UDP port it is known by its source address and port
//	source     what a sink sees of a stream: "host/interface", link type, snap length, filter
//
// Goroutines and locks. Each session has one goroutine that decides and one that reads messages; those of the data side are in
// package receive. The lock order is
//
//	Sensor.reloading -> sink.Hub.changing -> those of package receive -> those of a sink
//	Sensor.telling -> those of package receive
//	Sensor.telling -> status.History.mu -> a sink's own
//
// Sensor.mu takes nameTable.mu and receive.Receiver.mu only, and is held together with Sensor.reloading and Sensor.telling.
// Hub.mu, session.mu, nameTable.mu and status.SessionLog.mu are leaves.
//
// Limits. Everything an agent can make grow is bounded: connections in all and per address, held connections, the
// length of a message, the reorder window of a stream, the queue of a sink, the interfaces of a file, the list of
// peers that have left. A slow sink loses its own copy of a frame and counts it.
//
// One error is logged once: a reason that keeps an agent from being captured when it changes, the end of a session that
// never captured when it is the first of its kind. Status and summary always have the last reason.
//
// A program of its own gets the frames of all agents from a Reader, in a loop; see the example of NewReader. Anything else
// that takes frames is a Sink: the packages below this one write files, serve PCAP-over-IP and feed a TAP interface. Select
// narrows any of them down to some agents, rules and frames.
//
//	stream ─► Dedup ─► hub ─► feed of each sink (behind its Selection, if it has one)
//
// ReplaceSink changes the sinks while streams run: each stream goes from the old sink to the new one between two frames.
//
// Reload puts other rules in force: a changed filter goes out as UPDATEFILTER and the stream does not stop, whatever else has
// changed begins a new capture on the same connection.
//
// What it refuses to do: it never sends CLOSE (both C agents would leave for good), never UPDATEFILTER without a
// capture, never a second STARTCAP before ENDCAP; it never closes at once a connection whose agent would only redial
// at once, but holds it; and it never infers from a sequence number that an agent was restarted.
package sensor
