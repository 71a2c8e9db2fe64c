package udpstr

import "encoding/binary"

// use reads the datagram with seqno next.
func (r *Reassembler) use(b []byte, first int) {
	r.begin()
	r.read(b, 0, len(b), first)
	r.leave(b)
}

// begin notes that the datagram with seqno next is used.
func (r *Reassembler) begin() {
	r.started = true
	r.seen.set(r.next)
	r.next++
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
