package pcapoverip

import (
	"sync"

	"rpcapd/savefile"
	"rpcapd/udpstr"
)

const (
	// chunkSize is the memory that the backlog grows by; a frame that does not fit has one of its own.
	chunkSize = 128 << 10
	// keptChunks are kept for reuse; after a burst the rest goes back.
	keptChunks = 16
)

// backlog holds the latest frames, encoded, for all readers. Feeds append, each reader takes at its own pace.
//
// The bytes of a chunk below its length never change, so that a reader uses them without the lock while a feed appends
// behind them; a pin keeps a chunk from being used again meanwhile.
type backlog struct {
	limit int // bytes of all chunks

	mu      sync.Mutex // a leaf; guards all below and what says so elsewhere
	chunks  []*chunk   // oldest first
	first   uint64     // number of chunks[0], or of the next one if there is none
	size    int        // bytes of all chunks
	free    []*chunk
	readers map[*reader]struct{}
	idle    int    // readers that want to be woken
	unfit   uint64 // frames of another link type than that of a classic stream

	table
}

// chunk is a piece of the backlog.
type chunk struct {
	data   []byte
	frames uint64
	pins   int  // readers that use data
	gone   bool // no longer in the backlog
}

// reader is one client's place in the backlog. All but wake is guarded by backlog.mu.
type reader struct {
	wake chan struct{} // capacity 1: something was appended, or an interface was added

	number uint64 // of the chunk that is read next
	offset int    // in its data
	frames uint64 // of it that were taken
	idle   bool
	lost   uint64 // frames that the backlog could not keep, or take, for this reader
}

// join adds a reader, which gets what comes from now on.
func (b *backlog) join() *reader {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.readers) == 0 {
		b.fill()
	}
	r := &reader{wake: make(chan struct{}, 1), number: b.first + uint64(len(b.chunks))}
	if n := len(b.chunks); n > 0 {
		last := b.chunks[n-1]
		r.number, r.offset, r.frames = r.number-1, len(last.data), last.frames
	}
	b.readers[r] = struct{}{}
	return r
}

// leave takes a reader out; the last one leaves an empty backlog behind.
func (b *backlog) leave(r *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := int(r.number - b.first); i < len(b.chunks); i++ { // what waits for it is lost to it
		r.lost += b.chunks[i].frames - r.frames
		r.frames = 0
	}
	delete(b.readers, r)
	if r.idle {
		b.idle--
	}
	if len(b.readers) == 0 {
		for len(b.chunks) > 0 {
			b.evict()
		}
		b.clear()
		return
	}
	b.trim()
}

// append puts in one frame. False means that no reader has room for it. mu is held.
func (b *backlog) append(id uint32, p *udpstr.Packet) bool {
	c := b.room(savefile.PacketSize(len(p.Data)))
	if c == nil {
		for r := range b.readers {
			r.lost++
		}
		return false
	}
	c.data = savefile.AppendPacket(c.data, id, p)
	c.frames++
	b.wakeIdle()
	return true
}

// wakeIdle wakes the readers that wait; mu is held.
func (b *backlog) wakeIdle() {
	if b.idle == 0 {
		return
	}
	for r := range b.readers {
		if r.idle {
			r.idle = false
			select {
			case r.wake <- struct{}{}:
			default: // it has not seen an earlier one
			}
		}
	}
	b.idle = 0
}

// room returns the last chunk, with n bytes to spare, or nil. mu is held.
func (b *backlog) room(n int) *chunk {
	if k := len(b.chunks); k > 0 {
		if last := b.chunks[k-1]; cap(last.data)-len(last.data) >= n {
			return last
		}
	}
	want := max(n, chunkSize)
	for b.size+want > b.limit {
		if len(b.chunks) == 0 || !b.beyondFirst() {
			return nil
		}
		b.evict()
	}
	var c *chunk
	if k := len(b.free); k > 0 && want == chunkSize {
		c, b.free = b.free[k-1], b.free[:k-1]
	} else {
		c = &chunk{data: make([]byte, 0, want)}
	}
	b.chunks = append(b.chunks, c)
	b.size += cap(c.data)
	return c
}

// beyondFirst reports whether any reader has taken all of the oldest chunk, which does not grow; mu is held.
func (b *backlog) beyondFirst() bool {
	for r := range b.readers {
		if r.number > b.first || r.frames == b.chunks[0].frames {
			return true
		}
	}
	return false
}

// evict takes out the oldest chunk; the readers that have not read all of it lose the rest. mu is held.
func (b *backlog) evict() {
	c := b.chunks[0]
	for r := range b.readers {
		if r.number == b.first {
			r.lost += c.frames - r.frames
			r.number, r.offset, r.frames = r.number+1, 0, 0
		}
	}
	b.chunks = append(b.chunks[:0], b.chunks[1:]...)
	b.first++
	b.size -= cap(c.data)
	c.gone = true
	b.reuse(c)
}

// trim takes out what every reader has read; mu is held.
func (b *backlog) trim() {
	for len(b.chunks) > 1 {
		for r := range b.readers {
			if r.number == b.first {
				return
			}
		}
		b.evict()
	}
}

// reuse keeps the memory of a chunk that nobody needs; mu is held.
func (b *backlog) reuse(c *chunk) {
	if c.gone && c.pins == 0 && cap(c.data) == chunkSize && len(b.free) < keptChunks {
		b.free = append(b.free, &chunk{data: c.data[:0]})
		c.data = nil
	}
}

// taken is what a reader has taken: the blocks of one chunk from its place to the end. It is given back by done.
type taken struct {
	data       []byte
	frames     uint64
	interfaces []*ifaceEntry // all there are; the blocks refer to no others
	chunk      *chunk
}

// take moves the reader on. With nothing to read data is empty and the reader's wake will be signalled.
func (b *backlog) take(r *reader) taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := taken{interfaces: b.interfaces}
	for {
		i := int(r.number - b.first)
		if i >= len(b.chunks) {
			break
		}
		c := b.chunks[i]
		if r.offset < len(c.data) {
			t.data, t.frames, t.chunk = c.data[r.offset:len(c.data):len(c.data)], c.frames-r.frames, c
			c.pins++
			r.offset, r.frames = len(c.data), c.frames
			return t
		}
		if i == len(b.chunks)-1 {
			break // it may grow
		}
		r.number, r.offset, r.frames = r.number+1, 0, 0
		b.trim()
	}
	if !r.idle {
		r.idle = true
		b.idle++
	}
	return t
}

// done gives the chunk back.
func (b *backlog) done(t taken) {
	if t.chunk == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t.chunk.pins--
	b.reuse(t.chunk)
}

// lost is how many frames a reader has not got.
func (b *backlog) lost(r *reader) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return r.lost
}
