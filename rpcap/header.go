package rpcap

import (
	"encoding/binary"
	"fmt"
)

// Sizes and limits of the protocol, in bytes unless said otherwise.
const (
	HeaderLen = 8
	// Version is the only protocol version that exists.
	Version = 0
	// MaxSnaplen is the longest part of a frame that can be asked for.
	MaxSnaplen = 262144
	// MaxRequestPayload is the largest payload that a request can have: AUTH with two
	// strings of 65,535 bytes.
	MaxRequestPayload = 8 + 2*65535
	// MaxReplyPayload is the largest payload that an agent sends: the peers build
	// messages in 64,000 bytes, header included.
	MaxReplyPayload = 64000 - HeaderLen
	// MaxReplyAccepted is what a sensor should read at most: other agents may not know
	// the limit above.
	MaxReplyAccepted = 1 << 20
)

// Header is the common header of all messages.
type Header struct {
	Version    uint8
	Type       Type
	Value      uint16 // ERROR: the code; FINDALLIF_REPLY: number of interfaces; else 0
	PayloadLen uint32 // bytes that follow
}

// ParseHeader decodes the header at the start of b and returns the bytes used. It
// accepts every version, type and length: what to do with them is the caller's.
func ParseHeader(b []byte) (Header, int, error) {
	if len(b) < HeaderLen {
		return Header{}, 0, short("header", len(b), HeaderLen)
	}
	return Header{
		Version:    b[0],
		Type:       Type(b[1]),
		Value:      binary.BigEndian.Uint16(b[2:]),
		PayloadLen: binary.BigEndian.Uint32(b[4:]),
	}, HeaderLen, nil
}

// Append encodes the header.
func (h Header) Append(dst []byte) []byte {
	dst = append(dst, h.Version, byte(h.Type))
	dst = binary.BigEndian.AppendUint16(dst, h.Value)
	return binary.BigEndian.AppendUint32(dst, h.PayloadLen)
}

// AppendEmpty encodes a message without payload: FINDALLIF_REQ, STATS_REQ,
// ENDCAP_REQ, CLOSE and the replies that only acknowledge.
func AppendEmpty(dst []byte, t Type) []byte { return Header{Type: t}.Append(dst) }

// short is the error of input that ends early. want has 64 bits: with a length
// field of 32 it can exceed an int of small machines.
func short[N int | uint64](what string, have int, want N) error {
	return fmt.Errorf("parse %s: %d bytes, want at least %d", what, have, want)
}
