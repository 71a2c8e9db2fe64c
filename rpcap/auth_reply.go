package rpcap

import (
	"encoding/binary"
	"fmt"
)

// AuthReplyForm is which of the generations of AUTH_REPLY a message has.
type AuthReplyForm uint8

// The forms of AUTH_REPLY, by their payload.
const (
	AuthReplyEmpty    AuthReplyForm = iota // 0 bytes: version 0, byte order unknown. What every sensor has seen
	AuthReplyVersions                      // 2 bytes: versions
	AuthReplyMagic                         // 8 bytes: versions and byte order
)

// byteOrderMagic is sent in the agent's byte order.
const byteOrderMagic = 0xa1b2c3d4

// ByteOrder is the byte order of an agent's host, as AUTH_REPLY tells it. It
// matters only for link types with host-endian headers (USB and the like).
type ByteOrder uint8

// The byte orders.
const (
	ByteOrderUnknown ByteOrder = iota
	BigEndian                  // the magic came as a1 b2 c3 d4
	LittleEndian               // the magic came as d4 c3 b2 a1
)

// AuthReply is AUTH_REPLY. The zero value is the empty form.
//
//	0  lowest version   1 highest version   2 zero   4 magic in host order
type AuthReply struct {
	Form       AuthReplyForm
	MinVersion uint8
	MaxVersion uint8
	ByteOrder  ByteOrder
}

// Supports says whether the agent speaks Version.
func (m AuthReply) Supports() bool { return m.MinVersion <= Version && Version <= m.MaxVersion }

// Append encodes the message. ByteOrderUnknown is sent as BigEndian.
func (m AuthReply) Append(dst []byte) []byte {
	switch m.Form {
	case AuthReplyVersions:
		dst = Header{Type: TypeAuthReply, PayloadLen: 2}.Append(dst)
		return append(dst, m.MinVersion, m.MaxVersion)
	case AuthReplyMagic:
		dst = Header{Type: TypeAuthReply, PayloadLen: 8}.Append(dst)
		dst = append(dst, m.MinVersion, m.MaxVersion, 0, 0)
		if m.ByteOrder == LittleEndian {
			return binary.LittleEndian.AppendUint32(dst, byteOrderMagic)
		}
		return binary.BigEndian.AppendUint32(dst, byteOrderMagic)
	}
	return AppendEmpty(dst, TypeAuthReply)
}

// ParseAuthReply decodes the whole payload of a message: its length says which
// form it is. 1 and 3 to 7 bytes are errors, and so is a magic of neither byte
// order; more than 8 bytes may come from a later peer, and the rest is ignored.
func ParseAuthReply(payload []byte) (AuthReply, int, error) {
	switch n := len(payload); {
	case n == 0:
		return AuthReply{}, 0, nil
	case n == 2:
		return AuthReply{Form: AuthReplyVersions, MinVersion: payload[0], MaxVersion: payload[1]}, 2, nil
	case n < 8:
		return AuthReply{}, 0, fmt.Errorf("parse AUTH_REPLY: %d bytes, want 0, 2 or at least 8", n)
	}
	m := AuthReply{Form: AuthReplyMagic, MinVersion: payload[0], MaxVersion: payload[1]}
	switch {
	case binary.BigEndian.Uint32(payload[4:]) == byteOrderMagic:
		m.ByteOrder = BigEndian
	case binary.LittleEndian.Uint32(payload[4:]) == byteOrderMagic:
		m.ByteOrder = LittleEndian
	default:
		return AuthReply{}, 0, fmt.Errorf("parse AUTH_REPLY: byte-order magic % x is neither order", payload[4:8])
	}
	return m, 8, nil
}
