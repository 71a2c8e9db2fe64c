package rpcap

import "encoding/binary"

// SamplingMethod says which frames are kept after the filter.
type SamplingMethod uint8

// The sampling methods.
const (
	SamplingNone             SamplingMethod = 0
	SamplingOneInN           SamplingMethod = 1 // the first of every Value frames
	SamplingFirstAfterMillis SamplingMethod = 2 // one, then none for Value milliseconds
)

// SamplingRequest is SETSAMPLING_REQ.
//
//	0  method   1 zero   4 value
//
// Clients of current libpcap send a value below 65,536 as 0 (they cut it to 16 bits
// after swapping).
type SamplingRequest struct {
	Method SamplingMethod
	Value  uint32
}

// Append encodes the message.
func (m SamplingRequest) Append(dst []byte) []byte {
	dst = Header{Type: TypeSamplingRequest, PayloadLen: 8}.Append(dst)
	dst = append(dst, byte(m.Method), 0, 0, 0)
	return binary.BigEndian.AppendUint32(dst, m.Value)
}

// ParseSamplingRequest decodes the payload and returns the bytes used.
func ParseSamplingRequest(payload []byte) (SamplingRequest, int, error) {
	if len(payload) < 8 {
		return SamplingRequest{}, 0, short("SETSAMPLING_REQ", len(payload), 8)
	}
	return SamplingRequest{
		Method: SamplingMethod(payload[0]),
		Value:  binary.BigEndian.Uint32(payload[4:]),
	}, 8, nil
}
