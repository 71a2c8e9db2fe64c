// Package receive receives the frames of captures over UDP and TCP, and accounts for every frame.
//
//	UDP port of the range ─► which stream, by source ─► Reassembler (udpstr) or plain PACKET ─► Dedup ─► feeds of the sinks
//	TCP data connection   ─► whose it is             ─► plain PACKET                         ─► Dedup ─► feeds of the sinks
//
// Input: datagrams, and events of a capture from the control connection: its beginning (Receiver.Begin), the port that the
// agent names (Capture.Announced), its answers to STATS (Capture.Answered), and its end (Capture.End). Output: frames for the
// sinks' feeds, and counters (Capture.Fill, Receiver.Ports). The package handles no session, no rule, and no message of the control
// connection except STATS.
//
// A stream's source port is not known before its first datagram, so on each (agent address, UDP port) at most one stream waits
// for its first datagram. The allocator (portpool.go) spreads the streams of one address over the ports of the range. Which of
// several senders at the agent's address is the agent is path validation: path.go has the states and events, validate.go finds
// the event of a datagram, transition.go does what the table says, settle.go what is due, judge.go compares with STATS.
//
// Goroutines. Each open UDP port has one that receives, reassembles and calls the feeds; a feed must therefore neither block nor
// keep a frame. Each TCP capture has one that accepts and one for each connection.
//
// Locks, in their order:
//
//	sink.Hub.changing ─► portPool.mu ─► dataPort.mu or tcpData.mu, held while a batch is worked through ─► those of a sink
//
// Receiver.mu takes the shards of dedup only. Capture.mu and the shards are leaves. Only the goroutine of the
// session calls the methods of a Capture, except Fill.
//
// What it refuses to do: it never concludes from a sequence number that an agent was restarted. It closes no port before the
// end, because one "port unreachable" ends the capture of an old agent.
package receive
