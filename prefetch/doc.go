// Package prefetch asks the processor to load memory that will be read soon.
//
// What the forwarder reads was written by another core and is in no cache of its own: a
// walk that waits for each line in turn spends most of its time waiting. Asking a few
// frames ahead lets the loads overlap. The processor is free to ignore the request, no
// address can fault, and nothing but the time changes.
//
// Bytes does nothing on processors for which there is no assembly file here.
package prefetch
