package rpcap

import "encoding/binary"

// StartCaptureReply is STARTCAP_REPLY.
//
//	0  buffer size hint   4 agent's data port   6 zero
//
// In active mode the port is 0, but for our agent when FlagReportPort asked for it.
type StartCaptureReply struct {
	BufferSize uint32 // bytes
	DataPort   uint16
}

// Append encodes the message.
func (m StartCaptureReply) Append(dst []byte) []byte {
	dst = Header{Type: TypeStartCaptureReply, PayloadLen: 8}.Append(dst)
	dst = binary.BigEndian.AppendUint32(dst, m.BufferSize)
	dst = binary.BigEndian.AppendUint16(dst, m.DataPort)
	return append(dst, 0, 0)
}

// ParseStartCaptureReply decodes the payload and returns the bytes used.
func ParseStartCaptureReply(payload []byte) (StartCaptureReply, int, error) {
	if len(payload) < 8 {
		return StartCaptureReply{}, 0, short("STARTCAP_REPLY", len(payload), 8)
	}
	return StartCaptureReply{
		BufferSize: binary.BigEndian.Uint32(payload),
		DataPort:   binary.BigEndian.Uint16(payload[4:]),
	}, 8, nil
}
