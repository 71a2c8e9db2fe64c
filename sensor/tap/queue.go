package tap

const (
	// chunkSize is the memory of a chunk. A chunk is handed over when chunkFull bytes or chunkFrames frames are in it, so
	// that a frame of the largest size (262,144 bytes) and its header always fit into the next one.
	chunkSize   = 512 << 10
	chunkFull   = 224 << 10
	chunkFrames = 4096
	// queueChunks bounds the memory of the queue (16 MiB of frames).
	queueChunks = 32
)

// chunk holds frames that wait to be written.
type chunk struct {
	data   []byte
	frames []slot
}

// slot is one frame: data from the end of the one before to its own end.
type slot struct {
	end  uint32
	feed *feed
}

// queue is a bounded list of chunks in order. The sink's lock guards it.
type queue struct {
	chunks []*chunk // the last one may be filled further
	free   []*chunk
}

// reserve makes sure that the last chunk has room for n bytes. False means: drop.
func (q *queue) reserve(n int) bool {
	if n > chunkSize {
		return false
	}
	if k := len(q.chunks); k > 0 {
		last := q.chunks[k-1]
		if len(last.data) < chunkFull && len(last.frames) < chunkFrames && cap(last.data)-len(last.data) >= n {
			return true
		}
		if k >= queueChunks {
			return false
		}
	}
	c := &chunk{}
	if k := len(q.free); k > 0 {
		c, q.free = q.free[k-1], q.free[:k-1]
	} else {
		c.data = make([]byte, 0, chunkSize)
	}
	q.chunks = append(q.chunks, c)
	return true
}

// add puts in a frame with what stands in front of it; there must be room. It reports whether the queue was empty.
func (q *queue) add(f *feed, front, payload []byte) (first bool) {
	first = len(q.chunks) == 1 && len(q.chunks[0].frames) == 0
	c := q.chunks[len(q.chunks)-1]
	c.data = append(append(c.data, front...), payload...)
	c.frames = append(c.frames, slot{uint32(len(c.data)), f})
	return first
}

// take removes the first chunk, nil if nothing waits.
func (q *queue) take() *chunk {
	if len(q.chunks) == 0 || len(q.chunks[0].frames) == 0 {
		return nil
	}
	c := q.chunks[0]
	q.chunks = append(q.chunks[:0], q.chunks[1:]...)
	return c
}

// put gives a chunk back; after a burst the memory goes.
func (q *queue) put(c *chunk) {
	if len(q.free) < 2 {
		c.data, c.frames = c.data[:0], c.frames[:0]
		q.free = append(q.free, c)
	}
}
