// Command demo shows agent and sensor at work: it makes three hosts out of network
// namespaces, starts the real programs on two of them, sends real traffic and shows
// what arrived. It leaves the network of the machine alone and needs no root where
// ordinary users may make user namespaces. `make demo` builds all that it runs.
//
//	main_linux.go      the course of the demo, and what it insists on
//	stage_linux.go     the three hosts and their picture
//	programs_linux.go  the two programs: start, wait for, stop, ask
//	traffic_linux.go   ping, UDP and TCP over IPv4 and IPv6
//	frames_linux.go    what is in the capture file
//	table_linux.go     some of its frames, as tcpdump or this program shows them
package main
