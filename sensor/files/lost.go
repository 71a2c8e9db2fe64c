package files

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"

	"rpcapd/sensor"
)

// tally counts frames and the bytes of data in them.
type tally struct{ frames, bytes uint64 }

func (t *tally) add(o tally) { t.frames, t.bytes = t.frames+o.frames, t.bytes+o.bytes }

// less is what of t is not in o.
func (t tally) less(o tally) tally {
	return tally{t.frames - min(t.frames, o.frames), t.bytes - min(t.bytes, o.bytes)}
}

// countFrames counts the packet blocks in bytes of the queue.
func countFrames(b []byte) (t tally) {
	for len(b) >= blockHeader {
		size := blockLength(b)
		if size < 12 || size > len(b) {
			break
		}
		if blockType(b) == blockPacket {
			t.add(tally{1, blockCaplen(b)})
		}
		b = b[size:]
	}
	return t
}

// blockCaplen is the length of the frame in a packet block.
func blockCaplen(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b[blockCaplenAt:])) }

// takeBack turns frames that a feed has counted as written, and that never were, into dropped ones.
func takeBack(c *sensor.FeedCounters, t tally) {
	c.Written -= min(c.Written, t.frames)
	c.Bytes -= min(c.Bytes, t.bytes)
	c.Dropped += t.frames
}

// lose counts frames of no feed in particular, or of one that has ended.
func (s *Sink) lose(t tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost.add(t)
	s.owed.add(t)
}

// loseQueued counts the frames in bytes of the queue, where each has the number of its stream; s.mu is held.
func (s *Sink) loseQueued(b []byte) {
	for ; len(b) > 0; b = b[blockLength(b):] {
		if blockType(b) != blockPacket {
			continue
		}
		t := tally{1, blockCaplen(b)}
		s.lost.add(t)
		if st := s.streams[blockNumber(b)]; st != nil && !st.feed.ended {
			takeBack(&st.feed.counters, t)
		} else {
			s.owed.add(t)
		}
	}
}

// salvageable is what can be read of a file that was not completed.
func (f *finisher) salvageable(done *file) (t tally) {
	fd, err := f.place.root.Open(done.part())
	if err != nil {
		return t
	}
	defer fd.Close() // nothing was written
	plain, end, err := decoder(compressionOf(done.name), readerUntil{context.Background(), bufio.NewReaderSize(fd, 1<<16)})
	if err != nil {
		return t
	}
	defer end()
	_, t, _, _ = copyWhole(io.Discard, bufio.NewReaderSize(plain, 1<<18), f.opts.Format) // io.Discard never fails
	return t
}
