package sensor

import "time"

// SinkState is what a sink is doing.
type SinkState string

// The states of a sink.
const (
	SinkRunning  SinkState = "running"
	SinkDegraded SinkState = "degraded" // works in part, SinkStatus.Error says why; set by the sink itself
	SinkRetrying SinkState = "retrying" // has failed and is tried again soon; frames are dropped
	SinkFailed   SinkState = "failed"   // has failed for good; frames are dropped
	SinkEnded    SinkState = "ended"    // its reader has gone, or the sensor has stopped
)

// SinkStatus describes one sink, or a part of one. A sink with a method Status() SinkStatus fills in Kind, Parts and
// Details, and State with Error and Since where it knows better than the sensor; the sensor fills in the rest.
type SinkStatus struct {
	Name    string // as Sink.Name
	Kind    string // "file", "pcap-over-ip", "tap", …; empty if the sink does not say
	State   SinkState
	Since   time.Time // of the state
	Error   string    // the last one, kept after a recovery
	ErrorAt time.Time
	Streams int // feeds attached now

	FeedCounters // summed over all streams, ended ones included

	Parts   []SinkStatus // clients of a server, files of a directory
	Details []Detail     // numbers and words of this kind of sink alone, in the order in which they are shown
}

// Detail is one line of what a sink says of itself.
type Detail struct {
	Name    string // lower-case words: "bytes written", "path", "link type"
	Text    string // for people
	Number  uint64 // the same as a number, if Numeric
	Numeric bool
	Total   bool // a number that only grows: a counter of Prometheus
}
