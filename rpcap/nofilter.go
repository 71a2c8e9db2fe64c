package rpcap

import (
	"encoding/binary"
	"time"
)

// EndsBeforeInstruction reports whether a request ends right behind the header of a
// filter of one instruction. libpcap's client sends that when its program has set no
// filter: the length is that of an empty filter, and the instruction of "no filter"
// follows behind the payload. Conn.TakeInstruction gets it.
func EndsBeforeInstruction(t Type, payload []byte) bool {
	switch t {
	case TypeStartCaptureRequest:
		if len(payload) < startCaptureFixed {
			return false
		}
		payload = payload[startCaptureFixed:]
	case TypeUpdateFilterRequest:
	default:
		return false
	}
	return len(payload) == programFixed && binary.BigEndian.Uint16(payload) == filterTypeBPF &&
		binary.BigEndian.Uint32(payload[4:]) == 1
}

// TakeInstruction appends the 8 bytes behind the message just read to its payload, if
// they are the instruction of "no filter": 0006 0000 and a constant other than 0, with
// which they would be a CLOSE. Anything else stays in the stream, and the payload is
// returned as it is. It waits until the deadline at most, and no longer than the bytes
// may still become that instruction.
func (c *Conn) TakeInstruction(payload []byte, deadline time.Time) []byte {
	if c.setReadDeadline(deadline) != nil {
		return payload
	}
	for n := 1; ; n++ {
		b, err := c.r.Peek(n) // an error that lasts is met again by the next ReadMessage
		if err != nil {
			return payload
		}
		switch {
		case n <= len(acceptAnything) && b[n-1] != acceptAnything[n-1]:
			return payload
		case n == instructionSize:
			if binary.BigEndian.Uint32(b[4:]) == 0 {
				return payload
			}
			payload = append(payload, b...)
			_, _ = c.r.Discard(n) // they are buffered
			return payload
		}
	}
}

// acceptAnything is the beginning of "return k": opcode, jt, jf.
const acceptAnything = "\x00\x06\x00\x00"
