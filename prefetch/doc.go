// Package prefetch asks the processor to load memory that will be read soon.
//
// Another core has written what the forwarder reads, so it is not in this core's cache,
// and a walk that waits for each cache line spends most of its time on that. A request a
// few frames ahead lets the loads overlap. The processor can ignore the request, no
// address can fault, and only the time changes.
//
// Bytes does nothing on processors for which there is no assembly file here.
package prefetch
