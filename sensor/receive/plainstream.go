package receive

import (
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// plainWindow is how far behind the newest a PACKET message may come and still be delivered.
const plainWindow = 64

// plainStream accounts for plain PACKET messages, each of which is complete in itself: frames are delivered as they
// come, the number in each tells what is missing. Reordered ones are delivered late, duplicates dropped, and one that jumps
// far ahead waits to be confirmed.
type plainStream struct {
	maxCaplen uint32
	hold      time.Duration // how long a jump waits; 0: none does, over TCP no number can be a stray
	deliver   func(*udpstr.Packet)
	disown    func() // a frame that was delivered is a stray; nil: nobody counts

	packet   udpstr.Packet // reused for every delivery
	counters status.Received
	newest   uint64 // highest number seen, unwrapped to 64 bits; 0 before the first message
	seen     uint64 // bit d: number newest-d has come
	jump     plainJump
	before   plainPlace
}

// plainJump is a message whose number is farther ahead than the window. It may be a stray, and to believe it would make all
// that follows late. So it waits, as a datagram of udpstr does, until another one stands by it, the stream comes to it, or it
// has been held long enough and nothing contradicts it.
type plainJump struct {
	waiting bool
	belied  bool // the stream has gone on where it was since
	number  uint64
	at      time.Time
	buf     []byte
}

// plainPlace is where a stream was before it took a jump that only silence has confirmed.
type plainPlace struct {
	newest, seen, missing uint64 // newest is 0 when there is no doubt
	bytes                 uint64 // of the frame in the jump
}

// take counts a message that can be read, and delivers it unless it comes too late or again.
func (s *plainStream) take(b []byte, number uint64) {
	if !s.arrived(number) {
		return
	}
	h, _, _ := rpcap.ParsePacketHeader(b)
	data := b[rpcap.PacketHeaderLen : rpcap.PacketHeaderLen+int(h.Caplen)]
	s.counters.Frames++
	s.counters.FrameBytes += uint64(len(data))
	s.packet = udpstr.Packet{
		Frame:  udpstr.Frame{Data: data, Len: h.Len, Sec: h.Sec, Usec: h.Usec},
		Number: number,
	}
	s.deliver(&s.packet)
	s.packet.Data = nil
}

// arrived counts the message and reports whether it is to be delivered.
func (s *plainStream) arrived(number uint64) bool {
	if number > s.newest {
		ahead := number - s.newest
		s.counters.Missing += ahead - 1
		s.counters.InOrder++
		s.seen = s.seen<<min(ahead, 64) | 1
		s.newest = number
		return true
	}
	behind := s.newest - number
	switch {
	case behind >= plainWindow:
		s.counters.Late++
		return false
	case s.seen&(1<<behind) != 0:
		s.counters.Duplicate++
		return false
	}
	s.seen |= 1 << behind
	s.counters.Reordered++
	s.counters.Missing--
	return true
}

// snapshot returns the counters; over UDP each missing message is a lost datagram. A message that waits is counted when it
// is judged.
func (s *plainStream) snapshot() status.Received {
	c := s.counters
	if s.jump.waiting {
		c.Datagrams--
		c.Bytes -= uint64(len(s.jump.buf))
	}
	c.Lost = c.Missing
	return c
}
