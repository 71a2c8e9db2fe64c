// Command bench measures what the agent costs, loses and delays, and what the sensor
// costs. It makes its own hosts out of network namespaces, leaves the network of the
// machine alone, and needs no root where ordinary users may make user namespaces.
// `make bench` builds all that it runs.
//
//	      generator              agent                      sensor
//	+----------------+      +------------------+      +------------------+
//	|  bench         | veth |     rpcapd       | veth |  bench, or       |
//	|  (sendmmsg)    |------| cap0         up0 |------|  rpcap-sensor    |
//	|           eth0 | 9000 |                  |      | eth0             |
//	+----------------+      |  sink0: a bridge |      +------------------+
//	                        |  to nowhere      |
//	                        +------------------+
//
// A run is one agent, one capture, one size of frames at one rate. Its mode says where
// the datagrams go:
//
//	sink  a routing rule leads UDP into a bridge that forwards to no port: datagrams go through a whole device, are
//	      counted there and freed, as if a network card had taken them. The agent is charged for sending and not
//	      for receiving, which a veth does in the context of the sender. Cost, drops in ring and send buffer.
//	real  they go to the sensor's host, which receives on a CPU of its own, and where this program puts the stream together and checks every
//	      byte of every frame. Loss on the path, bytes on the wire, time from capture to arrival.
//
// The agent has one CPU for itself; generator and sensor share another, or have one each.
//
//	main_linux.go      flags, the whole of a measurement
//	measurement_linux.go  its parts, one after the other
//	plan.go            which runs there are
//	frames.go          frames with a number and a content that can be checked
//	generate_linux.go  the generator, a process of its own
//	helper_linux.go    further executions of this program: generator, and the pinned start of another
//	lab_linux.go       hosts, cables, the sink
//	offload_linux.go   tx-udp-segmentation of an interface
//	agent_linux.go     rpcapd: start, clock, memory, status
//	session_linux.go   the control session of the sensor
//	receive_linux.go   the sensor's data socket with the kernel's time stamps
//	stream_linux.go    datagrams to frames, and what is wrong with them
//	histogram.go       percentiles of the delay
//	run_linux.go       one run
//	quiet.go           the cost at low rates
//	sensor_linux.go    the cost of receiving
//	collector_linux.go the same in a process of its own
//	scale_linux.go     the sensor with a thousand simulated agents, fleet_linux.go
//	overload_linux.go  an agent that gets too little of its CPU
//	profile_linux.go   where the agent's time goes, with perf(1) where it is
//	summary.go         what rpcap-sensor prints at its end
//	books.go           do the numbers of a run add up
//	report.go          what is measured, as JSON: point.go, flow.go, sensing.go, scale.go, overload.go, profile.go
//	machine_linux.go   on what
//	table.go           for the terminal
//	bounds.go          what is promised, against what was measured
//	document.go        docs/PERFORMANCE.md, from document.md.tmpl
//	plots.go           the curves in it; plot.go, axis.go draw them as SVG
package main
