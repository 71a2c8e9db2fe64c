// Package chunks has the bounded queue between feeds and the one goroutine that writes their frames.
//
//	feeds of all streams ─► Reserve, append … Signal ─► Queue ─► Queued … Take ─► the sink's goroutine
//	                                                    ▲                                │
//	                                                    └────────── GiveBack ◄───────────┘
//
// A chunk is filled while it waits and changes hands as soon as the writer is free: a single frame leaves at once, and a flood
// leaves in large writes. When the queue is full, Reserve says so; the caller counts the frame as dropped and does not wait.
//
// It has no lock and no goroutine: the sink's own lock guards a queue, together with the counters of the frames in it. It does not
// know what a frame is.
package chunks
