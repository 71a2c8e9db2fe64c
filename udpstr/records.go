package udpstr

// Packet is a frame put together again. It and its Data hold until the deliver function returns.
type Packet struct {
	Frame
	Number uint64 // npkt, unwrapped to 64 bits: the first frame of a capture is 1
}

// recordReader is the position in the sequence of records: in step, between two records or within one whose data are being
// collected; or out of step after a loss, until a datagram tells where the next record begins.
type recordReader struct {
	maxCaplen int
	synced    bool
	lacking   int    // bytes that the open record still lacks; 0: none is open
	open      []byte // its data so far, unless part has them
	openHead  Packet // its header
	part      part
	last      uint64 // number of the last frame delivered
	any       bool   // a frame was delivered

	batch   [batchFrames]Packet // frames put together, and not delivered yet
	batched int
}

// batchFrames is the most frames that are delivered together: 3 KiB of each stream.
const batchFrames = 64

// part is where in a run of datagrams the data of the open record are, while the run is read.
type part struct {
	there    bool
	from, to int
}

// lose gives up the open record: the next bytes are not known to follow the last.
func (s *recordReader) lose() {
	s.synced, s.lacking, s.open, s.part.there = false, 0, s.open[:0], false
}

// join adds what run[pos:end] has of the open record and returns where that ends. Within the run the shorter of the two pieces
// moves to the other one, over the header between them, so that most of a frame is not copied.
func (s *recordReader) join(run []byte, pos, end int) int {
	n := min(s.lacking, end-pos)
	s.lacking -= n
	p := &s.part
	switch {
	case !p.there:
		s.collect(run[pos : pos+n])
	case p.to-p.from <= n:
		p.from = pos - copy(run[pos-(p.to-p.from):pos], run[p.from:p.to])
		p.to = pos + n
	default:
		p.to += copy(run[p.to:], run[pos:pos+n])
	}
	return pos + n
}

// joined returns the data of the open record, which is whole.
func (s *recordReader) joined(run []byte) []byte {
	if s.part.there {
		s.part.there = false
		return run[s.part.from:s.part.to:s.part.to]
	}
	return s.open
}

// collect adds to the data of the open record. Memory follows what really came, not what the header promised, and never exceeds
// the largest frame that is accepted.
func (s *recordReader) collect(b []byte) {
	if need := len(s.open) + len(b); need > cap(s.open) {
		grown := make([]byte, len(s.open), min(max(2*cap(s.open), need, 2048), max(need, s.maxCaplen)))
		copy(grown, s.open)
		s.open = grown
	}
	s.open = append(s.open, b...)
}
