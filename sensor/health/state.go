package health

import (
	"sync"
	"time"
)

// tracker turns what the sensor says of its sessions into what is known of its peers.
type tracker struct {
	src     Source
	version string
	started time.Time

	mu      sync.Mutex // a leaf but for the sensor's own locks
	records map[identity]*record
	rings   int // records with a history
	view    *view
	before  counters // of all, as the sensor said last
	sums    counters
	recent  recent[sensorSums]
	ports   map[uint16]*recent[Port]
	sinks   map[string]*recent[Sink]
	most    map[string][2]uint64 // frames and bytes that metrics have shown, by sink

	newest   uint64 // number of the last step of the history
	newestAt time.Time
	history  ring // of all together
}

// sensorSums is what problems of the sensor as a whole are found by.
type sensorSums struct {
	unwanted uint64 // connections turned away for their address
	crowded  uint64 // and for a limit
	silent   uint64 // sessions whose other end has never answered
}

// view is what is known at one moment. It is not changed any more.
type view struct {
	sensorSums
	status   Status
	peers    []Peer // by name
	ports    []Port
	sinks    []Sink
	problems []Problem
}
