package rpcap

// splitMessage cuts one whole message from the start of b: its header, its payload
// (memory of b) and the bytes used. Less than a whole message is an error; the
// header is returned with it once b holds that much.
func splitMessage(b []byte) (Header, []byte, int, error) {
	h, n, err := ParseHeader(b)
	if err != nil {
		return Header{}, nil, 0, err
	}
	if uint64(len(b)-n) < uint64(h.PayloadLen) {
		return h, nil, 0, short(h.Type.String(), len(b), uint64(n)+uint64(h.PayloadLen))
	}
	end := n + int(h.PayloadLen)
	return h, b[n:end], end, nil
}
