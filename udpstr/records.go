package udpstr

import "encoding/binary"

// recordReader is the position in the sequence of records: in step, between two records or within one whose data are being
// collected; or out of step after a loss, until a datagram tells where the next record begins.
type recordReader struct {
	maxCaplen int
	synced    bool
	lacking   int    // bytes that the open record still lacks; 0: none is open
	open      []byte // its data so far
	openHead  Packet // its header
	last      uint64 // number of the last frame delivered
	any       bool   // a frame was delivered

	batch   [batchFrames]Packet // frames put together, and not delivered yet
	batched int
}

// batchFrames is the most frames that are delivered together: about what a datagram of a 9,000-byte path has of the smallest.
const batchFrames = 96

// lose gives up the open record: the next bytes are not known to follow the last.
func (s *recordReader) lose() {
	s.synced, s.lacking, s.open = false, 0, s.open[:0]
}

// read takes the records in a datagram whose header is good, and which follows the one before unless lose was called.
func (r *Reassembler) read(b []byte, first int) {
	s := &r.records
	pos, bad := HeaderLen, false
	if s.synced {
		// What the open record lacks tells where the first packet header must be.
		want := noHeader
		if s.lacking < len(b)-HeaderLen {
			want = HeaderLen + s.lacking
		}
		if first != want {
			bad = true
			s.lose()
		} else if s.lacking > 0 {
			pos += s.collect(b[HeaderLen:])
			if s.lacking > 0 {
				return
			}
			s.batch[s.batched] = s.openHead
			s.batch[s.batched].Data = s.open
			r.pass()
			s.open = s.open[:0]
		}
	}
	if !s.synced && first != noHeader {
		s.synced = true
		pos = first
	}
	if s.synced && !r.readRecords(b[pos:]) {
		bad = true
		s.lose()
	}
	r.hand()
	if bad {
		r.c.Inconsistent++
	}
}

// readRecords batches the records of b and opens the last if it goes on in the next datagram. It returns false at bytes
// that are no record.
func (r *Reassembler) readRecords(b []byte) bool {
	s := &r.records
	for len(b) > 0 {
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
		if s.batched == len(s.batch) {
			r.hand()
		}
		p := &s.batch[s.batched]
		p.Number = s.last + uint64(step)
		p.Sec, p.Usec, p.Len = uint32(stamp>>32), uint32(stamp), uint32(size)
		if caplen > len(b) {
			s.openHead = *p
			r.hand() // the frame of which open has the data may be in the batch
			s.lacking = caplen
			s.collect(b)
			return true
		}
		p.Data = b[:caplen:caplen]
		b = b[caplen:]
		r.pass()
	}
	return true
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

// collect adds what b has of the open record and returns how much that was. Memory follows what really came, not what the
// header promised, and never exceeds the largest frame that is accepted.
func (s *recordReader) collect(b []byte) int {
	n := min(s.lacking, len(b))
	if need := len(s.open) + n; need > cap(s.open) {
		grown := make([]byte, len(s.open), min(max(2*cap(s.open), need, 2048), max(need, s.maxCaplen)))
		copy(grown, s.open)
		s.open = grown
	}
	s.open = append(s.open, b[:n]...)
	s.lacking -= n
	return n
}
