package files

import (
	"container/list"
	"path/filepath"
	"time"

	"rpcapd/savefile"
)

const (
	// bufferSize gathers the frames of a file where a write of its own for each would cost too much: with a file for
	// each agent, and for classic files, whose records are made here.
	bufferSize = 32 << 10
	// What is in such a buffer, or in an encoder, is seen by readers at the latest after these.
	flushSplit      = 100 * time.Millisecond
	flushCompressed = time.Second
	// idleGroup is how long a file waits for its agent to come back before it is completed; maxIdle bounds the files of one
	// agent that wait.
	idleGroup = time.Minute
	maxIdle   = 16
)

// writer is one run of a Sink: the goroutine that takes frames out of the queue, and all that only it touches.
type writer struct {
	*Sink
	place    *place
	finisher *finisher
	encoders encoders
	table    []*stream // of the present chunk
	files    map[*file]struct{}
	recent   *list.List // of the files that have an fd, the one used last in front
	dirty    []*file
	flushed  time.Time
	synced   time.Time
	trimmed  time.Time
	buffered bool
	delay    time.Duration // of a flush
}

func newWriter(s *Sink, p *place) *writer {
	w := &writer{Sink: s, place: p, finisher: newFinisher(s, p), encoders: encoders{kind: s.opts.Compress}, files: make(map[*file]struct{}), recent: list.New()}
	w.buffered = s.opts.PerAgent || s.hasWord("linktype") || s.opts.Format == savefile.Pcap
	switch {
	case s.opts.Compress != Uncompressed:
		w.delay = flushCompressed
	case s.opts.PerAgent:
		w.delay = flushSplit
	}
	return w
}

// failed names the file in an error.
func (w *writer) failed(f *file, err error) error {
	return failure("write", filepath.Join(w.dir, f.part()), err)
}
