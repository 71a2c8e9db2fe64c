package rpcap

import (
	"errors"
	"fmt"
	"strings"
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
	name := strings.TrimRight(string(payload), "\x00")
	if name == "" {
		return OpenRequest{}, 0, errors.New("parse OPEN_REQ: no interface name")
	}
	if strings.IndexByte(name, 0) >= 0 {
		return OpenRequest{}, 0, fmt.Errorf("parse OPEN_REQ: NUL inside the interface name %q", name)
	}
	return OpenRequest{Name: name}, len(payload), nil
}
