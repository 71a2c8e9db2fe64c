package health

import "github.com/prometheus/client_golang/prometheus"

const namespace = "rpcap_sensor"

// peerMetric is a counter of a peer. Labels: agent, interface.
type peerMetric struct {
	counter counter
	desc    *prometheus.Desc
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

// peerMetrics is in the order of the path of a frame.
var peerMetrics = func() (list []peerMetric) {
	for _, m := range []struct {
		c          counter
		name, help string
	}{
		{ifReceived, "interface_received_frames", "Frames on the agent's interface that its filter accepted, ring drops included (STATS, ifrecv)."},
		{ifDropped, "interface_dropped_frames", "Frames the agent's network card or driver dropped (STATS, ifdrop)."},
		{ringDropped, "ring_dropped_frames", "Frames dropped because the agent's ring was full (STATS, krnldrop)."},
		{captured, "captured_frames", "Frames the agent captured and gave to its forwarder (STATS, svrcapt)."},
		{datagrams, "tunnel_datagrams", "Datagrams that arrived from the agent; messages with a TCP data connection."},
		{tunnelBytes, "tunnel_bytes", "Bytes of payload in the datagrams that arrived."},
		{frames, "received_frames", "Encapsulated frames that arrived and were given to the outputs."},
		{frameBytes, "received_frame_bytes", "Bytes of the frames that arrived."},
		{reordered, "reordered_datagrams", "Datagrams that were put back in order."},
		{lost, "lost_datagrams", "Datagrams that never came, or too late."},
		{late, "late_datagrams", "Datagrams that came too late to be put in order; they stay lost."},
		{duplicate, "duplicate_datagrams", "Datagrams that came a second time and were dropped."},
		{malformed, "malformed_datagrams", "Datagrams that could not be read."},
		{missing, "missing_frames", "Frames the agent captured that never arrived."},
		{deduplicated, "deduplicated_frames", "Frames left out because another agent's stream had brought them already."},
		{disowned, "disowned_frames", "Frames that reached outputs before the sensor found that another sender sent them; not counted as received."},
		{rebound, "rebinds", "Changes of the agent's source port during a capture (NAT)."},
		{sinkWritten, "output_frames", "Frames the outputs took, summed over all outputs."},
		{sinkDropped, "output_dropped_frames", "Frames the outputs dropped, summed over all outputs."},
		{reconnects, "reconnects", "Sessions after the first one."},
	} {
		list = append(list, peerMetric{m.c, desc("peer_"+m.name+"_total", m.help, "agent", "interface")})
	}
	return list
}()

// totalMetrics are sums over all peers, those that have been forgotten included. Labels: none.
var totalMetrics = []peerMetric{
	{captured, desc("captured_frames_total", "Frames captured by all agents together.")},
	{ringDropped, desc("ring_dropped_frames_total", "Frames dropped in the rings of all agents together.")},
	{datagrams, desc("tunnel_datagrams_total", "Datagrams that arrived from all agents together.")},
	{tunnelBytes, desc("tunnel_bytes_total", "Bytes of payload in the datagrams of all agents together.")},
	{frames, desc("received_frames_total", "Frames that arrived from all agents together.")},
	{frameBytes, desc("received_frame_bytes_total", "Bytes of the frames of all agents together.")},
	{missing, desc("missing_frames_total", "Frames that never arrived, of all agents together.")},
}

var (
	buildInfo     = desc("build_info", "Constant 1; the labels name the build.", "version", "goversion")
	readyMetric   = desc("ready", "1 if all listeners are open and all outputs work, 0 if not.")
	accepted      = desc("connections_accepted_total", "Control connections of agents.")
	refused       = desc("connections_refused_total", "Control connections not served: unwanted address, or over a limit.")
	sessionsEnded = desc("sessions_ended_total", "Sessions that have ended.")
	neverAnswered = desc("sessions_never_answered_total", "Sessions that ended before the other end answered: health checks, port scans, other programs.")
	peersByState  = desc("peers", "Peers by state; those that have left within the last hour are in the state ended.", "state")
	problemCount  = desc("problems", "Problems that the page shows, by severity.", "severity")

	unaccounted = desc("unaccounted_frames", "Frames captured by all agents together that have neither arrived nor are known to be lost.")

	peerInfo        = desc("peer_info", "Constant 1; the labels say what the sensor asks of the peer.", "agent", "interface", "address", "rule", "port", "format")
	peerUp          = desc("peer_up", "1 while the peer forwards, 0 otherwise.", "agent", "interface")
	peerStart       = desc("peer_connected_timestamp_seconds", "Time at which the peer connected.", "agent", "interface")
	peerUnaccounted = desc("peer_unaccounted_frames", "Frames the agent captured that have neither arrived nor are known to be lost; agents of other makes hold up to a datagram of them.", "agent", "interface")
	peerOverdue     = desc("peer_unaccounted_overdue", "1 if the unaccounted frames are lost: more than an agent can hold back, at two STATS in a row.", "agent", "interface")
	peerOffset      = desc("peer_clock_offset_seconds", "The agent's clock less the sensor's.", "agent", "interface")

	portStreams       = desc("port_streams", "Captures that send to the data port.", "port")
	portForeign       = desc("port_foreign_datagrams_total", "Datagrams that belonged to no capture and were dropped.", "port")
	portDropped       = desc("port_receive_buffer_dropped_datagrams_total", "Datagrams the sensor's kernel dropped because the receive buffer was full.", "port")
	portEchoed        = desc("port_echoed_probes_total", "Probes of rpcapd doctor that the data port sent back.", "port")
	portBuffer        = desc("port_receive_buffer_bytes", "Receive buffer that the kernel granted the data port; 0 if unknown.", "port")
	portAsked         = desc("port_receive_buffer_asked_bytes", "Receive buffer that the sensor asked for, in the same unit as what was granted.", "port")
	portProbesRefused = desc("port_refused_probes_total", "Probes that the data port did not send back: they belonged to no test call, or were too many.", "port")
	portGRO           = desc("port_receive_offload", "1 if the kernel joins datagrams for the data port (GRO), 0 if not.", "port")

	sinkUp           = desc("output_up", "1 if the output works, 0 if not.", "output", "kind")
	sinkStreams      = desc("output_streams", "Streams that the output gets.", "output", "kind")
	sinkParts        = desc("output_parts", "Clients or files of the output.", "output", "kind")
	sinkFrames       = desc("output_written_frames_total", "Frames the output took.", "output", "kind")
	sinkBytesMetric  = desc("output_written_frame_bytes_total", "Bytes of the frames the output took.", "output", "kind")
	sinkDrops        = desc("output_dropped_frames_total", "Frames the output dropped.", "output", "kind")
	sinkDetail       = desc("output_detail", "Numbers that only this kind of output has.", "output", "kind", "detail")
	sinkDetailTotals = desc("output_detail_total", "Counters that only this kind of output has.", "output", "kind", "detail")
)

var otherMetrics = []*prometheus.Desc{
	buildInfo, readyMetric, accepted, refused, sessionsEnded, neverAnswered, peersByState, problemCount,
	peerInfo, peerUp, peerStart, peerOffset, peerUnaccounted, peerOverdue, unaccounted,
	portStreams, portForeign, portDropped, portEchoed, portProbesRefused, portBuffer, portAsked, portGRO,
	sinkUp, sinkStreams, sinkParts, sinkFrames, sinkBytesMetric, sinkDrops, sinkDetail, sinkDetailTotals,
}
