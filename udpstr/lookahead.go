package udpstr

// lookahead knows where in the stream the records of the frames at hand begin, so that the length of a run can be told for
// many datagram sizes without looking at the frames again: one bit for each byte of the stream, in a ring. It only gives
// advice; were it wrong, runs would be shorter and the datagrams still right.
type lookahead struct {
	bits   [lookaheadBytes / 64]uint64 // bit: a record begins at this position, modulo lookaheadBytes
	clean  uint64                      // end of the part of the ring in use, a multiple of 64
	pos    uint64                      // position of the packer in the stream
	head   uint64                      // position behind the last marked record
	marked int                         // frames from the next one on that are marked
}

// lookaheadBytes is the length of stream that the ring covers. It is a little more than a run may have.
const lookaheadBytes = 1 << 16

// advance tells that bytes were packed and that frames were finished with them.
func (l *lookahead) advance(frames, bytes int) {
	l.pos += uint64(bytes)
	l.marked = max(0, l.marked-frames)
}

// mark marks the records of frames as far as span bytes from the packer's position on. Of the first frame split data bytes
// are packed. Frames marked by an earlier call are not visited again.
func (l *lookahead) mark(frames []Frame, split, span int) {
	if l.marked > len(frames) { // not the frames that were seen last
		l.marked, l.clean = 0, 0
	}
	if l.marked == 0 {
		l.head = l.pos
		if split > 0 {
			l.head += uint64(len(clip(frames[0].Data)) - split)
			l.marked = 1
		}
	}
	base := l.pos &^ 63
	end := min((l.pos+uint64(span)+64)&^63, base+lookaheadBytes)
	l.clean = max(l.clean, base)
	for l.clean < end {
		i := l.clean / 64 % uint64(len(l.bits))
		n := min((end-l.clean)/64, uint64(len(l.bits))-i)
		clear(l.bits[i : i+n])
		l.clean += n * 64
	}
	i, head := l.marked, l.head
	for ; i < len(frames) && head < end; i++ {
		l.bits[head/64%uint64(len(l.bits))] |= 1 << (head % 64)
		head += PacketHeaderLen + uint64(len(frames[i].Data))
	}
	l.marked, l.head = i, head
}

// splits says whether a cut before position at would split a packet header, or part it from its data.
func (l *lookahead) splits(at uint64) bool {
	const n = minRoom - 1
	at -= n
	i, s := at/64, at%64
	v := l.bits[i%uint64(len(l.bits))]>>s | l.bits[(i+1)%uint64(len(l.bits))]<<1<<(63-s)
	return v&(1<<n-1) != 0
}

// run returns how many datagrams of payload bytes, at most room, a run gets whose first begins at origin. whole says that
// nothing but room or the end of the frames ended it.
func (l *lookahead) run(origin uint64, payload, room int) (n int, whole bool) {
	at := origin
	for n = 1; ; n++ {
		at += uint64(payload)
		if at >= l.head || n == room {
			return n, true
		}
		if l.splits(at) {
			return n, false
		}
	}
}
