package sink

import "time"

// State is what a sink is doing.
type State string

// The states of a sink.
const (
	Running  State = "running"
	Degraded State = "degraded" // works in part, Status.Error says why; set by the sink itself
	Retrying State = "retrying" // has failed and is tried again soon; frames are dropped
	Failed   State = "failed"   // has failed for good; frames are dropped
	Ended    State = "ended"    // its reader has gone, or the sensor has stopped
)

// Status describes one sink, or a part of one. A sink with a method Status() Status fills in Kind, Parts and
// Details, and State with Error and Since where it knows better than the sensor; the sensor fills in the rest.
type Status struct {
	Name    string // as Sink.Name
	Kind    string // "file", "pcap-over-ip", "tap", …; empty if the sink does not say
	State   State
	Since   time.Time // of the state
	Error   string    // the last one, kept after a recovery
	ErrorAt time.Time
	Streams int // feeds attached now

	Counters // summed over all streams, ended ones included

	Parts   []Status // clients of a server, files of a directory
	Details []Detail // numbers and words of this kind of sink alone, in the order in which they are shown
}

// Detail is one line of what a sink says of itself.
type Detail struct {
	Name    string // lower-case words: "bytes written", "path", "link type"
	Text    string // for people
	Number  uint64 // the same as a number, if Numeric
	Numeric bool
	Total   bool // a number that only grows: a counter of Prometheus
}
