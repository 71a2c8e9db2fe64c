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

// message takes one PACKET message as a whole; b is not kept.
func (s *plainStream) message(b []byte, now time.Time) {
	s.counters.Datagrams++
	s.counters.Bytes += uint64(len(b))
	h, ok := s.header(b)
	if !ok {
		s.counters.Malformed++
		return
	}
	number := s.unwrap(h.Number)
	if number == 0 {
		s.counters.Malformed++ // numbers begin with 1
		return
	}
	if s.before.newest != 0 {
		s.doubt(number)
	}
	if s.hold > 0 && s.newest != 0 && number > s.newest+plainWindow {
		s.far(b, number, now)
		return
	}
	s.take(b, number)
	if j := &s.jump; j.waiting {
		if j.number <= s.newest+plainWindow { // the stream has come to it
			s.believe()
			return
		}
		j.belied = true
	}
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

// header judges a message. The payload length is modulo 65536 at both C agents; caplen holds.
func (s *plainStream) header(b []byte) (rpcap.PacketHeader, bool) {
	common, _, err := rpcap.ParseHeader(b)
	if err != nil || common.Version != rpcap.Version || common.Type != rpcap.TypePacket {
		return rpcap.PacketHeader{}, false
	}
	h, n, err := rpcap.ParsePacketHeader(b)
	if err != nil || h.Caplen > s.maxCaplen || int(h.Caplen) > len(b)-n {
		return rpcap.PacketHeader{}, false
	}
	return h, uint16(common.PayloadLen) == uint16(udpstr.PacketHeaderLen+h.Caplen)
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

// unwrap extends a 32-bit number to the 64-bit one nearest to the newest.
func (s *plainStream) unwrap(n uint32) uint64 {
	if s.newest == 0 {
		return uint64(n)
	}
	d := int32(n - uint32(s.newest))
	if d < 0 && uint64(-int64(d)) > s.newest {
		return 0
	}
	return s.newest + uint64(int64(d))
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
