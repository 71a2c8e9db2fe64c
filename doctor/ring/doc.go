// Package ring checks what the kernel gives a capture: the right to capture, a ring of the size that the agent would map, fanout,
// and the memory for all rings together. A ring is opened for a moment, with a program that accepts no frame, and promiscuous mode
// is never switched on.
package ring
