package receive

import (
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

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
