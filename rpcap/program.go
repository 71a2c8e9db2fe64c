package rpcap

import (
	"encoding/binary"
	"fmt"
)

// MaxInstructions is the longest filter that is accepted.
const MaxInstructions = 8192

const (
	filterTypeBPF   = 1
	programFixed    = 8
	instructionSize = 8
)

// Instruction is one classic BPF instruction.
type Instruction struct {
	Op     uint16
	Jt, Jf uint8
	K      uint32
}

// Program is a filter. Parsing one checks its length only; package filter checks
// what it does.
//
//	0  type, 1 = BPF   2 zero   4 number of instructions n   8  n × (op 2, jt 1, jf 1, k 4)
type Program []Instruction

// AcceptAll returns the program of "no filter": return 262144.
func AcceptAll() Program { return Program{{Op: 0x06, K: MaxSnaplen}} }

func (p Program) size() int { return programFixed + instructionSize*len(p) }

// Append encodes the program (not a message: it is part of two).
func (p Program) Append(dst []byte) []byte {
	dst = append(dst, 0, filterTypeBPF, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(p)))
	for _, i := range p {
		dst = binary.BigEndian.AppendUint16(dst, i.Op)
		dst = append(dst, i.Jt, i.Jf)
		dst = binary.BigEndian.AppendUint32(dst, i.K)
	}
	return dst
}

// ParseProgram decodes a program and returns the bytes used. A type other than BPF,
// no or more than MaxInstructions instructions, and more than the payload holds are
// errors.
func ParseProgram(b []byte) (Program, int, error) {
	if len(b) < programFixed {
		return nil, 0, short("filter", len(b), programFixed)
	}
	if t := binary.BigEndian.Uint16(b); t != filterTypeBPF {
		return nil, 0, fmt.Errorf("parse filter: type %d, only BPF (1) is known", t)
	}
	n := binary.BigEndian.Uint32(b[4:])
	switch {
	case n == 0:
		return nil, 0, fmt.Errorf("parse filter: no instructions")
	case n > MaxInstructions:
		return nil, 0, fmt.Errorf("parse filter: %d instructions, at most %d", n, MaxInstructions)
	}
	end := programFixed + instructionSize*int(n)
	if len(b) < end {
		return nil, 0, short("filter", len(b), end)
	}
	p := make(Program, n)
	for i := range p {
		c := b[programFixed+instructionSize*i:]
		p[i] = Instruction{Op: binary.BigEndian.Uint16(c), Jt: c[2], Jf: c[3], K: binary.BigEndian.Uint32(c[4:])}
	}
	return p, end, nil
}

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
