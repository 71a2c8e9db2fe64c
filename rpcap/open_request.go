package rpcap

import (
	"bytes"
	"errors"
	"fmt"
)

// maxName bounds the name of an interface, in bytes (1,015 and 1,024 at the peers).
const maxName = 1024

// OpenRequest is OPEN_REQ: the payload is the name, without terminator.
type OpenRequest struct{ Name string }

// Append encodes the message.
func (m OpenRequest) Append(dst []byte) []byte {
	dst = Header{Type: TypeOpenRequest, PayloadLen: uint32(len(m.Name))}.Append(dst)
	return append(dst, m.Name...)
}

// ParseOpenRequest decodes the whole payload. Trailing NULs are dropped; a NUL
// inside and a name of more than 1,024 bytes are errors.
func ParseOpenRequest(payload []byte) (OpenRequest, int, error) {
	if len(payload) > maxName {
		return OpenRequest{}, 0, fmt.Errorf("parse OPEN_REQ: interface name of %d bytes, at most %d", len(payload), maxName)
	}
	name := bytes.TrimRight(payload, "\x00")
	if len(name) == 0 {
		return OpenRequest{}, 0, errors.New("parse OPEN_REQ: no interface name")
	}
	if at := bytes.IndexByte(name, 0); at >= 0 {
		return OpenRequest{}, 0, fmt.Errorf("parse OPEN_REQ: NUL at byte %d of an interface name of %d", at, len(name))
	}
	return OpenRequest{Name: string(name)}, len(payload), nil
}
