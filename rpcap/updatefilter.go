package rpcap

// UpdateFilterRequest is UPDATEFILTER_REQ: the payload is the filter.
type UpdateFilterRequest struct{ Filter Program }

// Append encodes the message.
func (m UpdateFilterRequest) Append(dst []byte) []byte {
	dst = Header{Type: TypeUpdateFilterRequest, PayloadLen: uint32(m.Filter.size())}.Append(dst)
	return m.Filter.Append(dst)
}

// ParseUpdateFilterRequest decodes the payload and returns the bytes used.
func ParseUpdateFilterRequest(payload []byte) (UpdateFilterRequest, int, error) {
	p, n, err := ParseProgram(payload)
	return UpdateFilterRequest{Filter: p}, n, err
}
