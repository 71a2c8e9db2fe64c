package refsensor

import "encoding/binary"

const (
	datagramHeader = 8
	frameHeader    = 20
	none           = 0xffff // "no frame begins in this datagram"
)

// captured is a frame as it comes out of the stream.
type captured struct {
	data   []byte
	length uint32 // on the wire
	number uint32 // npkt
}

// stream puts datagrams that arrive in order together again. After a gap it goes on with
// the next frame that begins. The zero value is at the start of a capture.
type stream struct {
	next    uint32 // sequence number expected
	astray  bool   // after a gap: where frames begin is not known
	rest    []byte // of a frame that is not complete yet
	lost    uint64 // datagrams that the sequence numbers leave out
	late    uint64 // datagrams that came after their successors, or twice
	garbage uint64 // datagrams that are none, or do not fit to the ones before
}

// datagram takes one datagram and hands out the frames that end in it; their data is
// valid until the next call.
func (s *stream) datagram(b []byte, out func(captured)) {
	if len(b) <= datagramHeader || b[0] != 0 || b[1] != 110 {
		s.garbage++
		return
	}
	first, sequence := int(binary.BigEndian.Uint16(b[2:])), binary.BigEndian.Uint32(b[4:])
	gap := sequence - s.next
	if gap >= 1<<31 {
		s.late++
		return
	}
	s.next = sequence + 1
	if gap > 0 {
		s.lost += uint64(gap)
		s.stray()
	}
	if first != none && (first < datagramHeader || first > len(b)-frameHeader) || !s.astray && first != s.begin(len(b)) {
		s.garbage++
		s.stray()
		return
	}
	if s.astray {
		if first == none {
			return
		}
		s.astray = false
		b = b[first:]
	} else {
		b = b[datagramHeader:]
	}
	s.rest = append(s.rest, b...)
	whole := 0
	for whole+frameHeader <= len(s.rest) {
		h := s.rest[whole:]
		size := frameHeader + int(binary.BigEndian.Uint32(h[8:]))
		if len(h) < size {
			break
		}
		out(captured{
			data:   h[frameHeader:size],
			length: binary.BigEndian.Uint32(h[12:]),
			number: binary.BigEndian.Uint32(h[16:]),
		})
		whole += size
	}
	s.rest = s.rest[:copy(s.rest, s.rest[whole:])]
	if len(s.rest) > 0 && len(s.rest) < frameHeader {
		s.garbage++ // a header may not be cut in two
		s.stray()
	}
}

func (s *stream) stray() { s.rest, s.astray = s.rest[:0], true }

// begin is where the first frame must begin in a datagram of a size that follows.
func (s *stream) begin(size int) int {
	at := datagramHeader
	if len(s.rest) > 0 {
		at += frameHeader + int(binary.BigEndian.Uint32(s.rest[8:])) - len(s.rest)
	}
	if at >= size {
		return none
	}
	return at
}
