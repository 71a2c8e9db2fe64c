// Package agent is the forwarding side of RPCAP in active mode: it dials out
// to sensors, serves their requests within the limits of the local ini file,
// captures, and sends the frames. It opens no listening socket.
//
//	config.Agent -> Supervisor -> one session per ActiveClient line
//	session:    wait for the interface -> dial -> serve -> back off -> dial ...
//	connection: AUTH -> READY -> CAPTURE -> READY ... (one per dialed connection)
//	forwarder:  ring block -> sampler -> packer (the one copy) -> release -> send
//
// # Who runs where
//
//   - Supervisor.Run owns one goroutine per session, one that watches the
//     interfaces and one that writes the status files.
//   - A session goroutine dials and serves the control connection; no other goroutine
//     reads from that connection.
//   - A forwarder owns one goroutine, one capture source and one data socket. It
//     shares nothing per frame: counters are published per block, commands reach
//     it through the source. The goroutine is not locked to an OS thread.
//
// # Lock order
//
// Supervisor.mu, then exclusions.mu, then capturing.mu. A session's own mu is a
// leaf: nothing is locked and nothing blocks while it is held.
//
// # What the agent refuses
//
// The agent refuses an invalid filter program, an interface other than the
// preselected one, a second capture beside a running one, and every request that
// is out of order. It answers with an ERROR message, and the session continues.
// It limits promiscuous mode and snap length to what the ini allows. Frames between any
// address and a sensor's control or data port are never captured (package
// filter), whatever the sensor asks for, so that an export cannot feed itself.
package agent
