// Package tcpdump compiles filters in tcpdump syntax: an expression for a link type becomes a BPF program. It runs
// tcpdump -ddd with the header of an empty capture file as input, so it needs no privilege and no device.
//
//	expression, DLT ─► cache ─► at most 4 runs of tcpdump at once ─► program for frames without their outer VLAN tag ─► cache
//
// The package compiles a filter for the outer VLAN tag of Ethernet twice, because a Linux filter finds that tag beside the
// frame, and tcpdump compiles for a file, where the tag is in the bytes; see besideTag. For Windows devices, it compiles once.
//
// Goroutines: none of its own. Callers wait for the program, and callers with the same filter wait for the same run. Each run has
// limits on time, processor time, and memory.
//
// Locks: Compiler.mu, a leaf, is not held while tcpdump runs.
//
// What it refuses: inbound, outbound, ip broadcast, and protochain, which have no meaning here (the error suggests a replacement), and
// programs of more than 8,192 instructions. It remembers a refusal for 30 s. An Error does not mean that the filter is wrong: tcpdump
// took too long, was killed, or is not installed.
package tcpdump
