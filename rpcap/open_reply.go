package rpcap

import "encoding/binary"

// OpenReply is OPEN_REPLY.
//
//	0  link type (DLT)   4 time zone offset, always 0
type OpenReply struct {
	LinkType uint32
	TimeZone uint32
}

// Append encodes the message.
func (m OpenReply) Append(dst []byte) []byte {
	dst = Header{Type: TypeOpenReply, PayloadLen: 8}.Append(dst)
	dst = binary.BigEndian.AppendUint32(dst, m.LinkType)
	return binary.BigEndian.AppendUint32(dst, m.TimeZone)
}

// ParseOpenReply decodes the payload and returns the bytes used.
func ParseOpenReply(payload []byte) (OpenReply, int, error) {
	if len(payload) < 8 {
		return OpenReply{}, 0, short("OPEN_REPLY", len(payload), 8)
	}
	return OpenReply{
		LinkType: binary.BigEndian.Uint32(payload),
		TimeZone: binary.BigEndian.Uint32(payload[4:]),
	}, 8, nil
}
