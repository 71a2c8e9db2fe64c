// Package status has the status of the sensor: the peers with their states and counters, the data ports, the sensor's own
// sums, and the causes of failures. The health server, the summary, and your own programs read it.
//
// Input: the states of sessions, the counters of their streams, and the errors that ended them. Output:
// copies that you can keep. History sums up ended captures by name. SessionLog stores the
// connections and the last error of each name. Both limit the number of names, because names come from agents.
//
// The package starts no goroutine. History.mu comes before the locks of sinks, because a sink can learn late whether a frame
// is written; SessionLog.mu is a leaf. Of the sensor it imports package sink only: a peer's status has the counters of its outputs.
package status
