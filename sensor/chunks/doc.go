// Package chunks has the bounded queue between feeds and the one goroutine that writes their frames.
//
//	feeds of all streams ─► Reserve, append … Signal ─► Queue ─► Queued … Take ─► the sink's goroutine
//	                                                    ▲                                │
//	                                                    └────────── GiveBack ◄───────────┘
//
// Feeds fill a chunk while it waits. The writer takes it as soon as it is free: a single frame is written immediately, and a flood
// is written in large pieces. When the queue is full, Reserve returns nil, and the caller counts the frame as dropped and does not wait.
//
// The package has no lock and no goroutine. The sink's own lock guards a queue, together with the counters of the frames in it. The
// package treats frames as bytes.
package chunks
