package rpcap

import (
	"encoding/binary"
	"fmt"
)

const (
	// PacketHeaderLen is what precedes the frame in a PACKET message: the common
	// header and the header of the frame.
	PacketHeaderLen = HeaderLen + 20
	// MaxUDPCaplen is the longest frame that fits a PACKET message in one UDP datagram
	// over IPv4: 65,507 bytes of payload less the headers.
	MaxUDPCaplen = 65507 - PacketHeaderLen
)

// PacketHeader is a PACKET message without its frame, which follows.
//
//	0  common header, type 7, payload 20 + caplen   8 seconds   12 microseconds
//	16 caplen   20 length on the wire   24 number, 1 for the first frame of a capture
type PacketHeader struct {
	Sec, Usec uint32
	Caplen    uint32 // bytes that follow
	Len       uint32 // bytes on the wire
	Number    uint32
}

// Append encodes the 28 bytes before the frame. The payload length is written in
// all its 32 bits, unlike the peers do.
func (m PacketHeader) Append(dst []byte) []byte {
	var b [PacketHeaderLen]byte
	b[1] = byte(TypePacket)
	binary.BigEndian.PutUint32(b[4:], 20+m.Caplen)
	binary.BigEndian.PutUint32(b[8:], m.Sec)
	binary.BigEndian.PutUint32(b[12:], m.Usec)
	binary.BigEndian.PutUint32(b[16:], m.Caplen)
	binary.BigEndian.PutUint32(b[20:], m.Len)
	binary.BigEndian.PutUint32(b[24:], m.Number)
	return append(dst, b[:]...)
}

// ParsePacketHeader decodes the 28 bytes before a frame and returns them as used.
// The payload length is not looked at: the peers write it modulo 65,536, so only
// caplen says where the frame ends. Bounding caplen is the caller's.
func ParsePacketHeader(b []byte) (PacketHeader, int, error) {
	if len(b) < PacketHeaderLen {
		return PacketHeader{}, 0, short("PACKET", len(b), PacketHeaderLen)
	}
	return PacketHeader{
		Sec:    binary.BigEndian.Uint32(b[8:]),
		Usec:   binary.BigEndian.Uint32(b[12:]),
		Caplen: binary.BigEndian.Uint32(b[16:]),
		Len:    binary.BigEndian.Uint32(b[20:]),
		Number: binary.BigEndian.Uint32(b[24:]),
	}, PacketHeaderLen, nil
}

// ParsePacket decodes a whole PACKET message: its header, the frame (memory of b)
// and the bytes used. Only type 7 and version 0 are taken, and a caplen that b holds.
func ParsePacket(b []byte) (PacketHeader, []byte, int, error) {
	m, n, err := ParsePacketHeader(b)
	if err != nil {
		return PacketHeader{}, nil, 0, err
	}
	if b[0] != Version || Type(b[1]) != TypePacket {
		return PacketHeader{}, nil, 0, fmt.Errorf("parse PACKET: version %d, %s", b[0], Type(b[1]))
	}
	if uint64(len(b)-n) < uint64(m.Caplen) {
		return PacketHeader{}, nil, 0, short("PACKET", len(b), uint64(n)+uint64(m.Caplen))
	}
	end := n + int(m.Caplen)
	return m, b[n:end], end, nil
}
