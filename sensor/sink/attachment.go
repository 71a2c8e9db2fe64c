package sink

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/udpstr"
)

// Attachment is one stream's feed of one sink. Frame, Frames and Detach belong to whoever holds the stream's guard.
type Attachment struct {
	Feed
	run  *sinkRun
	told Forwarded // what the agent had reported when it began
}

// Frames implements BatchFeed.
func (f *Attachment) Frames(batch []udpstr.Packet) { Frames(f.Feed, batch) }

// Sink is the name of the sink that the feed belongs to.
func (f *Attachment) Sink() string { return f.run.name }

// sinkRun is one sink at work.
type sinkRun struct {
	sink    Sink
	name    string
	purpose bool // its end is the sensor's
	log     *zap.Logger
	cancel  context.CancelFunc // set by launch
	done    chan error         // capacity 1: the result of run

	mu     sync.Mutex // after dataPort.mu, before the sink's own lock; guards what follows
	feeds  map[*Attachment]struct{}
	ended  Counters  // of the feeds that were detached, and of sinks of the name before it
	late   Unsettled // those of them whose counters still change
	before *sinkRun  // that this one has taken the place of and that has not ended yet
	state  State
	since  time.Time
	err    string
	errAt  time.Time
}

// Unsettled are feeds that were detached while some of their frames still waited: a file is looked after before its frames
// count as written. Somebody has added their counters to a sum, and adds what changes. Its owner guards it.
type Unsettled struct {
	feeds []unsettledFeed
	look  int // at this number of feeds those that are settled are taken out
}
