// Package simulator is a fleet of agents in one process, to see what a sensor does with
// very many. Each speaks the real protocol from an address of its own and comes back
// after a loss the way the real agent does; only what it captures is made up.
//
//	127.1.0.1 ──┐
//	127.1.0.2 ──┤  control connections, data from as many UDP sockets
//	    …       ├──────────────────────────────────────────────────────► sensor
//	127.1.3.238 ┘
//
//	backoff.go  when an agent dials again
//	agent.go    one agent: dial, serve, pause, for ever
//	serve.go    answers to the sensor's requests
//	capture.go  what is sent between STARTCAP and ENDCAP
//	frames.go   the frames
//	fleet.go    all of them, and their numbers
//
// It needs Linux's loopback network, where all of 127.0.0.0/8 is this host. It captures
// nothing, applies no filter and obeys no sampling, and it checks little of what the
// sensor says: there are other tests for that.
package simulator
