package chunks

import "slices"

// Bounds are the limits of a queue. The memory that it may hold is Chunks × Size bytes and as many records.
type Bounds struct {
	Size   int // bytes of memory of a chunk; a frame that is longer is refused
	Usual  int // bytes of memory of a chunk that begins with no longer frame; 0: Size
	Full   int // bytes from which on a chunk is not filled further
	Frames int // records from which on a chunk is not filled further; 0: any number
	Chunks int // that may wait
	Spare  int // chunks whose memory is kept for the next frames
}

// Chunk is the unit in which frames change hands.
type Chunk[F any] struct {
	Data   []byte
	Frames []F // what the owner notes of each frame, in the order of Data
}

func (c *Chunk[F]) empty() bool { return len(c.Data) == 0 && len(c.Frames) == 0 }

// Reset empties a chunk. It needs no guard: the chunk is that of whoever took it.
func (c *Chunk[F]) Reset() {
	clear(c.Frames) // records may hold pointers
	c.Data, c.Frames = c.Data[:0], c.Frames[:0]
}

// Queue is a bounded list of chunks in order. Its owner guards it; only Signal and Queued need no guard.
type Queue[F any] struct {
	bounds Bounds
	queued chan struct{} // capacity 1
	chunks []*Chunk[F]   // waiting, in order; the last one may be filled further
	spare  []*Chunk[F]
	used   bool // since the last Trim
}

// New returns an empty queue, which has no memory for frames yet.
func New[F any](b Bounds) *Queue[F] {
	return &Queue[F]{bounds: b, queued: make(chan struct{}, 1)}
}

// Reserve returns the chunk that the next n bytes belong to, with room for them; the caller appends them, and a record, at once.
// first says that nothing else waits: the writer may sleep, and Signal is due. A nil chunk means that the frame is lost.
func (q *Queue[F]) Reserve(n int) (c *Chunk[F], first bool) { return q.reserve(n, q.bounds.Chunks) }

// ReserveBeyond is Reserve without the limit of chunks, for the few small things that must not get lost.
func (q *Queue[F]) ReserveBeyond(n int) (c *Chunk[F], first bool) {
	return q.reserve(n, len(q.chunks)+1)
}

func (q *Queue[F]) reserve(n, most int) (c *Chunk[F], first bool) {
	if k := len(q.chunks); k > 0 {
		if c = q.chunks[k-1]; q.hasRoom(c, n) {
			return c, k == 1 && c.empty()
		}
		if k >= most {
			return nil, false
		}
	}
	if n > q.bounds.Size {
		return nil, false
	}
	if k := len(q.spare); k > 0 {
		c, q.spare = q.spare[k-1], q.spare[:k-1]
	} else {
		c = new(Chunk[F])
	}
	if cap(c.Data) < n || c.Data == nil {
		c.Data = make([]byte, 0, q.memory(n))
	}
	q.chunks = append(q.chunks, c)
	return c, q.Len() == 1
}

// memory is how much a chunk gets that begins with n bytes.
func (q *Queue[F]) memory(n int) int {
	if q.bounds.Usual >= max(n, 1) {
		return q.bounds.Usual
	}
	return q.bounds.Size
}

func (q *Queue[F]) hasRoom(c *Chunk[F], n int) bool {
	return len(c.Data) < q.bounds.Full && cap(c.Data)-len(c.Data) >= n && (q.bounds.Frames == 0 || len(c.Frames) < q.bounds.Frames)
}

// Take removes the first chunk; nil if nothing waits.
func (q *Queue[F]) Take() *Chunk[F] {
	if q.Len() == 0 || q.chunks[0].empty() {
		return nil
	}
	c := q.chunks[0]
	q.chunks = slices.Delete(q.chunks, 0, 1)
	return c
}

// GiveBack takes the memory of a chunk that is done with. Its owner may Reset it before, so that the guard is held for less time.
func (q *Queue[F]) GiveBack(c *Chunk[F]) {
	q.used = true
	if len(q.spare) >= q.bounds.Spare {
		return
	}
	c.Reset()
	q.spare = append(q.spare, c)
}

// Trim drops the memory that was not needed since the call before, but for the given number of chunks.
func (q *Queue[F]) Trim(keep int) {
	if !q.used && len(q.spare) > keep {
		q.spare = slices.Delete(q.spare, keep, len(q.spare))
	}
	q.used = false
}

// Clear drops all that waits, and the memory.
func (q *Queue[F]) Clear() { q.chunks, q.spare = nil, nil }

// Len is the number of chunks that wait.
func (q *Queue[F]) Len() int { return len(q.chunks) }

// Signal wakes whoever waits on Queued.
func (q *Queue[F]) Signal() {
	select {
	case q.queued <- struct{}{}:
	default: // it has not seen the last one
	}
}

// Queued receives after Signal, once for any number of signals.
func (q *Queue[F]) Queued() <-chan struct{} { return q.queued }
