// Package sink is what an output needs of the sensor and nothing else of it: what a consumer of frames has to do (Sink, Feed),
// where frames come from (Source), what became of them (Counters, Status), and which of them are wanted (Selection).
//
//	stream ─► Attachment ─► Feed of each sink                       frames, those of a datagram together, under the stream's guard
//	stream ─► Attachment ─► selected feed ─► Feed of the sink        behind a Selection: other agents, rules and frames are left out
//	sinks  ─► Hub.Status ─► page, metrics, JSON                     sums that go on over the ends of streams
//
// The Hub attaches every stream to every sink, runs the sinks, tries one again that asks for it, and keeps their sums. A Reader
// is a sink for a program's own loop.
//
// Goroutines: one for each sink, in which its Run works; one for each filter that a Selector compiles late. Frames come in the
// goroutine of the data port or the data connection; a feed therefore neither blocks nor keeps a frame.
//
// Locks, in this order:
//
//	Hub.changing -> the stream's guard, which belongs to its owner -> sinkRun.mu -> the sink's own
//
// Hub.changing is free while Follow is called. sinkRun.mu of a new sink comes before that of the one whose place it takes. Hub.mu,
// Selector.mu and Reader.mu are leaves.
//
// It knows neither agents' connections nor datagrams, and it does not import the packages that do.
package sink
