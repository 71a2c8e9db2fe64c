package udpstr

import "encoding/binary"

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

// read takes the records of the datagram run[at:end], whose header is good, and which follows the one before unless lose was
// called. What it finds stays in the run until leave is called.
func (r *Reassembler) read(run []byte, at, end, first int) {
	s := &r.records
	pos, bad := at+HeaderLen, false
	if s.synced {
		// What the open record lacks tells where the first packet header must be.
		want := noHeader
		if s.lacking < end-pos {
			want = HeaderLen + s.lacking
		}
		if first != want {
			bad = true
			s.lose()
		} else if s.lacking > 0 {
			pos = s.join(run, pos, end)
			if s.lacking > 0 {
				return
			}
			p := r.room()
			*p = s.openHead
			p.Data = s.joined(run)
			r.pass()
		}
	}
	if !s.synced && first != noHeader {
		s.synced = true
		pos = at + first
	}
	if s.synced && !r.readRecords(run, pos, end) {
		bad = true
		s.lose()
	}
	if bad {
		r.c.Inconsistent++
	}
}

// readRecords batches the records of run[pos:end] and opens the last if it goes on in the next datagram. It returns false at
// bytes that are no record.
func (r *Reassembler) readRecords(run []byte, pos, end int) bool {
	s := &r.records
	for b := run[pos:end:end]; len(b) > 0; {
		if len(b) < PacketHeaderLen {
			return false
		}
		stamp := binary.BigEndian.Uint64(b)
		size := binary.BigEndian.Uint64(b[8:])
		npkt := binary.BigEndian.Uint32(b[16:])
		b = b[PacketHeaderLen:]
		if size>>32 > uint64(s.maxCaplen) {
			return false
		}
		caplen := int(size >> 32)
		step := npkt - uint32(s.last)
		if step == 0 || step >= 1<<31 && s.any {
			return false
		}
		p := r.room()
		p.Number = s.last + uint64(step)
		p.Sec, p.Usec, p.Len = uint32(stamp>>32), uint32(stamp), uint32(size)
		if caplen > len(b) {
			s.openHead = *p
			s.lacking = caplen - len(b)
			s.part = part{true, end - len(b), end}
			return true
		}
		p.Data = b[:caplen:caplen]
		b = b[caplen:]
		r.pass()
	}
	return true
}

// room returns the place of the frame behind the batch.
func (r *Reassembler) room() *Packet {
	s := &r.records
	if s.batched == len(s.batch) {
		r.hand()
	}
	return &s.batch[s.batched]
}

// pass takes the frame behind the batch into it and counts what is missing before it.
func (r *Reassembler) pass() {
	s := &r.records
	number := s.batch[s.batched].Number
	r.c.Missing += number - s.last - 1
	s.last, s.any = number, true
	s.batched++
}

// hand delivers the batch.
func (r *Reassembler) hand() {
	s := &r.records
	if s.batched == 0 {
		return
	}
	batch := s.batch[:s.batched]
	s.batched = 0
	for i := range batch {
		r.c.DeliveredBytes += uint64(len(batch[i].Data))
	}
	r.c.Delivered += uint64(len(batch))
	r.deliver(batch)
}

// leave ends the reading of a run: nothing refers to it any more.
func (r *Reassembler) leave(run []byte) {
	r.hand() // the frame of which open has the data may be in the batch
	if s := &r.records; s.part.there {
		s.part.there = false
		s.open = s.open[:0]
		s.collect(run[s.part.from:s.part.to])
	}
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
