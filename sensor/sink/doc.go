// Package sink is the interface between the sensor and its outputs: the duties of a consumer of frames (Sink, Feed),
// the source of frames (Source), their accounting (Counters, Status), and the choice among them (Selection).
//
//	stream ─► Attachment ─► Feed of each sink                       frames, those of a datagram together, under the stream's guard
//	stream ─► Attachment ─► selected feed ─► Feed of the sink        behind a Selection: other agents, rules and frames are left out
//	sinks  ─► Hub.Status ─► page, metrics, JSON                     sums that go on over the ends of streams
//
// The Hub attaches every stream to every sink, runs the sinks, restarts a sink that asks for it, and keeps their sums. A Reader
// is a sink that a program reads in a loop.
//
// Goroutines: one for the Run of each sink, and one for each filter that a Selector compiles late. Frames arrive in the
// goroutine of the data port or the data connection, so a feed must not block or keep a frame.
//
// Locks, in this order:
//
//	Hub.changing -> the stream's guard, which belongs to its owner -> sinkRun.mu -> the sink's own
//
// Hub.changing is free while Follow is called. sinkRun.mu of a new sink comes before that of the sink that it replaces. Hub.mu,
// Selector.mu and Reader.mu are leaves.
//
// It does not import the packages that handle connections of agents and datagrams.
package sink
