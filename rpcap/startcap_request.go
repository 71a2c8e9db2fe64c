package rpcap

import "encoding/binary"

// StartCaptureFlags are the flags of STARTCAP_REQ.
type StartCaptureFlags uint16

// The flags. In active mode the agent opens the data connection with or without
// FlagServerOpen; both peers ignore the two directions. The last two are ours: agents of
// other makes ignore bits that they do not know.
const (
	FlagPromiscuous StartCaptureFlags = 1 << iota
	FlagDatagram                      // UDP data; without it TCP
	FlagServerOpen
	FlagInbound
	FlagOutbound

	// FlagReportPort asks for the local port of the agent's data socket in
	// StartCaptureReply.DataPort, so that the sensor need not guess which source
	// port is the agent's.
	FlagReportPort StartCaptureFlags = 0x4000
	// FlagNoSegmentation asks for one datagram per send: something on the path drops
	// what segmentation offload makes.
	FlagNoSegmentation StartCaptureFlags = 0x8000
)

const startCaptureFixed = 12

// StartCaptureRequest is STARTCAP_REQ.
//
//	0  snaplen   4 read time-out, ms   8 flags   10 data port   12 filter
type StartCaptureRequest struct {
	Snaplen     uint32 // bytes; 0 and above MaxSnaplen mean MaxSnaplen
	ReadTimeout uint32 // milliseconds
	Flags       StartCaptureFlags
	DataPort    uint16 // of the sensor
	Filter      Program
}

// Append encodes the message.
func (m StartCaptureRequest) Append(dst []byte) []byte {
	dst = Header{Type: TypeStartCaptureRequest, PayloadLen: uint32(startCaptureFixed + m.Filter.size())}.Append(dst)
	dst = binary.BigEndian.AppendUint32(dst, m.Snaplen)
	dst = binary.BigEndian.AppendUint32(dst, m.ReadTimeout)
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.Flags))
	dst = binary.BigEndian.AppendUint16(dst, m.DataPort)
	return m.Filter.Append(dst)
}

// ParseStartCaptureRequest decodes the payload and returns the bytes used.
func ParseStartCaptureRequest(payload []byte) (StartCaptureRequest, int, error) {
	if len(payload) < startCaptureFixed {
		return StartCaptureRequest{}, 0, short("STARTCAP_REQ", len(payload), startCaptureFixed+programFixed)
	}
	p, n, err := ParseProgram(payload[startCaptureFixed:])
	if err != nil {
		return StartCaptureRequest{}, 0, err
	}
	return StartCaptureRequest{
		Snaplen:     binary.BigEndian.Uint32(payload),
		ReadTimeout: binary.BigEndian.Uint32(payload[4:]),
		Flags:       StartCaptureFlags(binary.BigEndian.Uint16(payload[8:])),
		DataPort:    binary.BigEndian.Uint16(payload[10:]),
		Filter:      p,
	}, startCaptureFixed + n, nil
}
