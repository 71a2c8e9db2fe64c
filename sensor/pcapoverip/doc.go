// Package pcapoverip is a sink that sends live frames to programs over TCP: PCAP-over-IP, which Wireshark,
// tshark, dumpcap, Arkime, and netcap read. It listens for many clients, or connects to one listener.
//
//	feeds ─► encode once ─► backlog (shared, bounded) ─┬─► client A: the bytes as they are ──────────────► socket
//	          (pcapng)                                 ├─► client B: its selection, ids of its own ──────► socket
//	                                                   └─► client C: classic pcap, one link type ────────► socket
//
// A connection carries a capture file without an end: a section header, a block for each interface, and
// the frames from then on; in classic pcap, the 24-byte header and the frames. When the sensor stops, it writes the queued frames,
// then (pcapng) the statistics of each interface, then FIN.
//
// # Request
//
// PCAP-over-IP has no request, and a client such as tshark sends nothing. A client that wants only some of the frames
// sends one line within 150 ms after it has connected (after the TLS handshake, with TLS):
//
//	filter=tcp port 443; agents=web*, 10.1.0.0/16; rules=dmz\n
//
// The three keys are those of sink.Selection; each may be left out, and an empty line is everything. The line has at
// most 4,096 bytes. It only narrows what the sink's own selection lets through. The server answers an invalid
// request with one line of text, "error: …", and closes the connection, so a typo never widens what a client gets.
// The filter is compiled by tcpdump as a single argument behind "--", at the lowest priority, for five seconds at most; two run at
// once, for clients of two addresses. The frames of that time are not sent. Names of hosts in a filter are looked up by
// the sensor's host.
//
// # What is lost, and who counts it
//
// All clients share one backlog (16 MiB by default). Each has its own position in it. When it is full, the
// sink discards its oldest part if at least one client has passed that part. Clients that have not passed it lose it, and it
// is counted for them. Otherwise the sink drops the new frame. So a slow client never slows another client or the sensor, and a client that
// never reads costs only a share of the backlog and its socket's buffer. A client can stay with a full socket
// for two minutes (Options.Stalled): a Wireshark that was stopped continues with a gap. Then the sink disconnects it.
//
// The counters are equations. For a feed of the sink:
//
//	frames given = Written   put into the backlog: at least one client takes them up
//	             + Dropped   no client has room, another link type than that of a classic stream, dialed out and not connected
//	             + LeftOut   nobody is connected, or it is a packet of such a connection: an agent that sees them
//	                         would otherwise have them sent over these connections again, without end
//
// and for a client, over the frames that were put into the backlog, or found no room there, while it was connected:
//
//	offered = Written (sent) + LeftOut (not in its selection) + Dropped (it was too slow) + what waits in the backlog
//
// With a selection, Dropped counts all frames that were discarded before the client's goroutine could test them, whether
// or not they match.
//
// # Limits
//
// At most 64 clients by default; one more gets an error line, and its connection is closed. At most 64 connections in a TLS handshake,
// for at most ten seconds; one more and the oldest of them is closed, so that connections that say nothing cannot keep
// clients out. At most 4,096 interfaces while any client is there.
//
// The package does not buffer frames for clients that are not connected, does not send a client earlier frames, and does not let a
// client choose frames that the sink's own selection leaves out.
package pcapoverip
