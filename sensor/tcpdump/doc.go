// Package tcpdump compiles filters in tcpdump syntax: an expression and a link type go in, a BPF program comes out. tcpdump itself
// does it (tcpdump -ddd), fed with the header of an empty capture file, so that no privilege and no device is needed.
//
//	expression, DLT ─► cache ─► at most 4 runs of tcpdump at once ─► program for frames without their outer VLAN tag ─► cache
//
// A program that asks for the outer VLAN tag of Ethernet is compiled twice, because where Linux filters that tag is beside the
// frame, and tcpdump compiles for a file, where it is in the bytes; see besideTag. For devices of Windows it is compiled once.
//
// Goroutines: none of its own; whoever asks for a program waits, and those who ask for the same one wait for one run. Each run is
// bounded in time, processor time and memory.
//
// Locks: Compiler.mu, a leaf; it is not held while tcpdump runs.
//
// What is refused: inbound, outbound, ip broadcast and protochain, which have no meaning here, with what to write instead; programs of
// more than 8,192 instructions. A refusal is remembered for 30 s. An Error is no judgement of the filter: tcpdump took too
// long, was killed, is not there.
package tcpdump
