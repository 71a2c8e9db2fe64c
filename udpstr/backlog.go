package udpstr

import "encoding/binary"

// backlog is the stream of a run that is to be cut anew: records whose headers are written already.
type backlog struct {
	buf  []byte // the stream, without the headers of the datagrams
	pos  int    // what lies before is packed again
	rest int    // bytes left of the record at pos; 0: one begins there
}

func (b *backlog) len() int { return len(b.buf) - b.pos }

// piece describes what comes next, a record or the rest of one: header says which, n is its length as far as it is at
// hand, and whole is false if it ends outside, in the frame that Append gets next.
func (b *backlog) piece() (n int, header, whole bool) {
	n = b.rest
	if header = n == 0; header {
		n = PacketHeaderLen + int(binary.BigEndian.Uint32(b.buf[b.pos+8:]))
	}
	if n > b.len() {
		return b.len(), header, false
	}
	return n, header, true
}

// read copies the next piece to dst as far as it fits.
func (b *backlog) read(dst []byte) int {
	total := b.rest
	if total == 0 {
		total = PacketHeaderLen + int(binary.BigEndian.Uint32(b.buf[b.pos+8:]))
	}
	n := copy(dst[:min(len(dst), total)], b.buf[b.pos:])
	b.pos += n
	b.rest = total - n
	return n
}
