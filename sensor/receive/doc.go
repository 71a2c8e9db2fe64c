// Package receive takes in the frames of captures, over UDP and TCP, and accounts for every one of them.
//
//	UDP port of the range ─► which stream, by source ─► Reassembler (udpstr) or plain PACKET ─► Dedup ─► feeds of the sinks
//	TCP data connection   ─► whose it is             ─► plain PACKET                         ─► Dedup ─► feeds of the sinks
//
// In flow datagrams, and what the control connection tells of a capture: its beginning (Receiver.Begin), the port that the
// agent names (Capture.Announced), its answers to STATS (Capture.Answered), and its end (Capture.End). Out flow frames to the
// sinks' feeds, and counters (Capture.Fill, Receiver.Ports). The package knows no session, no rule and no message of the control
// connection but STATS.
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
// Receiver.mu takes the shards of dedup only. Capture.mu and the shards are leaves. The methods of a Capture are its session's
// goroutine's, but for Fill.
//
// What it refuses to do: it never infers from a sequence number that an agent was restarted, and it closes no port before the
// end, because one "port unreachable" ends the capture of an old agent.
package receive
