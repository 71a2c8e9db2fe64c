// Package uplink checks the way from an agent to its sensors, as the agent goes it:
//
//	name ─► TCP ─► session, authentication ─► offer ─► probes to each UDP port ─► sizes ─► super-packets
//
// Each step needs the one before. A Visit does the steps once, when the first check asks, and the checks read their results.
// Visits to different sensors run beside each other. A visit sends at most some hundred datagrams, and only to a sensor that
// has offered to send them back; see docs/UDPSTR.md. It starts no capture, and the agent's own session is another connection.
package uplink
