package files

const (
	// chunkSize is the memory of one write. A chunk is handed over when chunkFull bytes are in it, so that a frame of
	// the largest size (262,144 bytes) always fits into the next one.
	chunkSize = 512 << 10
	chunkFull = 224 << 10
	// queueChunks bounds a sink's memory (16 MiB). A disk that stalls longer than this holds loses frames.
	queueChunks = 32
	// spareChunks stay when nothing was queued for a while; the memory of a burst goes back.
	spareChunks = 2
)

// queue holds encoded frames until they are written. Its owner guards it.
type queue struct {
	chunks [][]byte // waiting to be written, in order; the last one may be filled further
	free   [][]byte
	used   bool // since the last trim
}

// reserve makes sure that the last chunk has room for n bytes. False means: drop. beyond lets the queue grow beyond its
// limit, for the few small things that must not get lost.
func (q *queue) reserve(n int, beyond bool) bool {
	if n > chunkSize {
		return false
	}
	if k := len(q.chunks); k > 0 {
		if last := q.chunks[k-1]; len(last) < chunkFull && cap(last)-len(last) >= n {
			return true
		}
		if k >= queueChunks && !beyond {
			return false
		}
	}
	var c []byte
	if k := len(q.free); k > 0 {
		c, q.free = q.free[k-1], q.free[:k-1]
	} else {
		c = make([]byte, 0, chunkSize)
	}
	q.chunks = append(q.chunks, c)
	return true
}

// last is the chunk to append to after reserve. first says that nothing else waits: whoever writes has taken everything
// and sleeps, so only then it has to be woken.
func (q *queue) last() (c *[]byte, first bool) {
	c = &q.chunks[len(q.chunks)-1]
	return c, len(q.chunks) == 1 && len(*c) == 0
}

// take removes the first chunk; nil if there is nothing to write.
func (q *queue) take() []byte {
	if len(q.chunks) == 0 || len(q.chunks[0]) == 0 {
		return nil
	}
	c := q.chunks[0]
	n := copy(q.chunks, q.chunks[1:])
	q.chunks[n] = nil
	q.chunks = q.chunks[:n]
	return c
}

// giveBack takes the memory of a chunk that was written.
func (q *queue) giveBack(c []byte) {
	q.used = true
	if len(q.free) < queueChunks {
		q.free = append(q.free, c[:0])
	}
}

// trim is called now and then, and gives memory back that was not needed since the last time.
func (q *queue) trim() {
	if !q.used && len(q.free) > spareChunks {
		clear(q.free[spareChunks:])
		q.free = q.free[:spareChunks]
	}
	q.used = false
}
