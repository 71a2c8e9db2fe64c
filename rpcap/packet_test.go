package rpcap

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func TestPacketBytes(t *testing.T) {
	m := PacketHeader{Sec: 0x6b007642, Usec: 0x0007f720, Caplen: 4, Len: 9000, Number: 7}
	b := append(m.Append([]byte{0xff}), 1, 2, 3, 4)
	if want := "ff" + "00070000" + "00000018" + "6b007642" + "0007f720" + "00000004" + "00002328" + "00000007" + "01020304"; hex.EncodeToString(b) != want {
		t.Errorf("%x, want %s", b, want)
	}
	got, frame, n, err := ParsePacket(append(b[1:], 0xee))
	if got != m || !bytes.Equal(frame, b[29:]) || n != 32 || err != nil {
		t.Errorf("%+v, % x, %d, %v", got, frame, n, err)
	}
	for i := range len(b) - 1 {
		if got, _, _, err := ParsePacket(b[1 : 1+i]); err == nil {
			t.Errorf("%d of %d bytes gave %+v", i, len(b)-1, got)
		}
		if _, _, err := ParsePacketHeader(b[1 : 1+i]); (err == nil) != (i >= PacketHeaderLen) {
			t.Errorf("header from %d bytes: %v", i, err)
		}
	}
}

// TestPacketLength: the length is written whole and read from caplen, since the peers
// write 20 + caplen modulo 65,536.
func TestPacketLength(t *testing.T) {
	for _, c := range []struct {
		caplen        uint32
		written, peer string // payload length as we and as they write it
	}{
		{65515, "0000ffff", "0000ffff"},
		{65516, "00010000", "00000000"},
		{MaxSnaplen, "00040014", "00000014"},
	} {
		m := PacketHeader{Caplen: c.caplen, Len: c.caplen, Number: 1}
		b := append(m.Append(nil), make([]byte, c.caplen)...)
		if got := hex.EncodeToString(b[4:8]); got != c.written {
			t.Errorf("caplen %d: length %s, want %s", c.caplen, got, c.written)
		}
		peer, _ := hex.DecodeString(c.peer)
		copy(b[4:], peer)
		got, frame, n, err := ParsePacket(b)
		if got != m || len(frame) != int(c.caplen) || n != len(b) || err != nil {
			t.Errorf("caplen %d, length %s: %+v, %d, %v", c.caplen, c.peer, got, n, err)
		}
	}
	huge := PacketHeader{Caplen: 0xffffffff}.Append(nil)
	if m, _, _, err := ParsePacket(huge); err == nil {
		t.Errorf("%+v", m)
	}
	if MaxUDPCaplen != 65479 {
		t.Errorf("%d bytes fit one datagram", MaxUDPCaplen)
	}
}

func TestPacketRefuses(t *testing.T) {
	good := PacketHeader{Number: 1}.Append(nil)
	for at, v := range map[int]byte{0: 1, 1: 110} { // another version; a udpstr block
		b := bytes.Clone(good)
		b[at] = v
		if m, _, _, err := ParsePacket(b); err == nil {
			t.Errorf("byte %d = %d: %+v", at, v, m)
		}
	}
}

func TestPacketAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 64)
	message := append(PacketHeader{Caplen: 4, Number: 1}.Append(nil), 1, 2, 3, 4)
	var m PacketHeader
	if n := testing.AllocsPerRun(100, func() {
		dst = m.Append(dst[:0])
		m, _, _, _ = ParsePacket(message)
		m, _, _ = ParsePacketHeader(message)
		h, _, _ := ParseHeader(message)
		dst = h.Append(dst)
		dst = AppendEmpty(dst, TypeStatsReply)
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	stats := StatsReply{1, 2, 3, 4}.Append(nil)
	if n := testing.AllocsPerRun(100, func() {
		s, _, _ := ParseStatsReply(stats[HeaderLen:])
		dst = s.Append(dst[:0])
	}); n != 0 {
		t.Errorf("%v allocations a STATS", n)
	}
}

func BenchmarkPacketHeader(b *testing.B) {
	dst := make([]byte, 0, PacketHeaderLen)
	m := PacketHeader{Sec: 1, Usec: 2, Caplen: 1514, Len: 1514}
	for b.Loop() {
		dst = m.Append(dst[:0])
		m, _, _ = ParsePacketHeader(dst)
		m.Number++
	}
}
