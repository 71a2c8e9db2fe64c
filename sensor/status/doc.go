// Package status is what the sensor tells of itself: the peers with their states and counters, the data ports, the sensor's own
// sums, and the causes of what went wrong. The health server, the summary, and programs of your own read it.
//
// In flow the states of sessions (package sensor), what their streams have received, and the errors that ended them. Out flow
// copies, which whoever has them can keep. History sums up captures that have ended by name, SessionLog remembers each name's
// connections and last error; both bound the names, which come from agents.
//
// The package starts no goroutine. History.mu comes before the locks of sinks, because a sink can learn late what became of a
// frame; SessionLog.mu is a leaf. Of the sensor it imports package sink only: a peer's status has the counters of its outputs.
package status
