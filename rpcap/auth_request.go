package rpcap

import (
	"encoding/binary"
	"fmt"
)

// AuthType says how a sensor authenticates.
type AuthType uint16

// The authentication types.
const (
	AuthNull     AuthType = 0
	AuthPassword AuthType = 1
)

// AuthRequest is AUTH_REQ, by which the sensor authenticates to the agent.
//
//	0  type      2 zero      4 length of user      6 length of password
//	8  user, password
type AuthRequest struct {
	Type     AuthType
	User     string // at most 65,535 bytes
	Password string `json:"-"` // at most 65,535 bytes; crosses the network in clear
}

const authRequestFixed = 8

// String shows the request without the password.
func (m AuthRequest) String() string {
	if m.Type == AuthPassword {
		return fmt.Sprintf("AUTH_REQ user %q, password not shown", m.User)
	}
	return fmt.Sprintf("AUTH_REQ type %d", uint16(m.Type))
}

// Format prints String whatever the verb: without it %d and the like would show the
// fields. (%p is the exception: fmt asks no method for it.)
func (m AuthRequest) Format(f fmt.State, _ rune) { fmt.Fprint(f, m.String()) }

// Append encodes the message. Strings beyond 65,535 bytes are cut; with a type other
// than password none are sent, as none are read.
func (m AuthRequest) Append(dst []byte) []byte {
	var user, password string
	if m.Type == AuthPassword {
		user, password = m.User[:min(len(m.User), 65535)], m.Password[:min(len(m.Password), 65535)]
	}
	dst = Header{Type: TypeAuthRequest, PayloadLen: uint32(authRequestFixed + len(user) + len(password))}.Append(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.Type))
	dst = append(dst, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(user)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(password)))
	return append(append(dst, user...), password...)
}

// ParseAuthRequest decodes the payload and returns the bytes used. With a type
// other than password the lengths mean nothing and no string is read, as the peers
// do.
func ParseAuthRequest(payload []byte) (AuthRequest, int, error) {
	if len(payload) < authRequestFixed {
		return AuthRequest{}, 0, short("AUTH_REQ", len(payload), authRequestFixed)
	}
	m := AuthRequest{Type: AuthType(binary.BigEndian.Uint16(payload))}
	if m.Type != AuthPassword {
		return m, authRequestFixed, nil
	}
	user := int(binary.BigEndian.Uint16(payload[4:]))
	password := int(binary.BigEndian.Uint16(payload[6:]))
	end := authRequestFixed + user + password
	if len(payload) < end {
		return AuthRequest{}, 0, short("AUTH_REQ", len(payload), end)
	}
	m.User = string(payload[authRequestFixed : authRequestFixed+user])
	m.Password = string(payload[authRequestFixed+user : end])
	return m, end, nil
}
