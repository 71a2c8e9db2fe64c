package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// An rpm is four parts; docs/manual/format.md of rpm has the bytes:
//
//	0    lead, 96 bytes, begins with ed ab ee db
//	96   signature header: sums and signatures, filled up to a multiple of 8
//	     header: all that is known about the package, with the sum of the payload
//	     payload: the files
//
// A header is the magic 8e ad e8 01 and 4 zero bytes, the number of entries n and the size of the data s, 4 bytes each, then n
// entries of 16 bytes (tag, type, offset in the data, count), then s bytes of data.
type rpmFile struct {
	lead       []byte
	signatures header
	header     header
	headerAt   int // where the header is in the file
	payload    []byte
}

type header struct {
	raw     []byte
	entries map[int32]entry
}

type entry struct {
	kind, count uint32
	data        []byte // from where the entry begins to the end of all data
}

// Types of entries, those that occur.
const (
	typeInt16  = 3
	typeInt32  = 4
	typeString = 6
	typeBinary = 7
	typeList   = 8
	typeI18N   = 9
)

const (
	leadSize   = 96
	entrySize  = 16
	introSize  = 16
	maxEntries = 1 << 16
)

var errCut = errors.New("it is cut")

func parseRPM(data []byte) (*rpmFile, error) {
	p, err := splitRPM(data)
	if err != nil {
		return nil, fmt.Errorf("read an rpm: %w", err)
	}
	return p, nil
}

func splitRPM(data []byte) (*rpmFile, error) {
	if !bytes.HasPrefix(data, []byte{0xed, 0xab, 0xee, 0xdb}) || len(data) < leadSize {
		return nil, errors.New("no lead of an rpm")
	}
	p := &rpmFile{lead: data[:leadSize]}
	n, err := p.signatures.parse(data[leadSize:])
	if err != nil {
		return nil, fmt.Errorf("signature header: %w", err)
	}
	p.headerAt = leadSize + (n+7)/8*8
	if p.headerAt > len(data) {
		return nil, errCut
	}
	if n, err = p.header.parse(data[p.headerAt:]); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	p.payload = data[p.headerAt+n:]
	return p, nil
}

// signed is what is the same before and after signing.
func (p *rpmFile) signed() []byte { return slices.Concat(p.header.raw, p.payload) }

// parse reads a header and returns how many bytes it has.
func (h *header) parse(data []byte) (int, error) {
	if len(data) < introSize {
		return 0, errCut
	}
	if !bytes.HasPrefix(data, []byte{0x8e, 0xad, 0xe8, 0x01}) {
		return 0, errors.New("no header there")
	}
	n, size := binary.BigEndian.Uint32(data[8:]), binary.BigEndian.Uint32(data[12:])
	if n > maxEntries || uint64(size) > uint64(len(data)) {
		return 0, errCut
	}
	store := introSize + int(n)*entrySize
	end := store + int(size)
	if end > len(data) {
		return 0, errCut
	}
	h.raw, h.entries = data[:end], make(map[int32]entry, n)
	for i := introSize; i < store; i += entrySize {
		at := binary.BigEndian.Uint32(data[i+8:])
		if at > size {
			return 0, fmt.Errorf("entry %d lies outside of its data", (i-introSize)/entrySize)
		}
		h.entries[int32(binary.BigEndian.Uint32(data[i:]))] = entry{
			kind: binary.BigEndian.Uint32(data[i+4:]), count: binary.BigEndian.Uint32(data[i+12:]), data: data[store+int(at) : end],
		}
	}
	return end, nil
}

// strings are the texts of an entry, none if it is not there or of another type.
func (h *header) strings(tag int32) []string {
	e, ok := h.entries[tag]
	if !ok || e.kind != typeString && e.kind != typeList && e.kind != typeI18N {
		return nil
	}
	var list []string
	for rest := e.data; len(list) < int(e.count); {
		text, more, found := bytes.Cut(rest, []byte{0})
		if !found {
			return list
		}
		list, rest = append(list, string(text)), more
	}
	return list
}

func (h *header) text(tag int32) string {
	if list := h.strings(tag); len(list) > 0 {
		return list[0]
	}
	return ""
}

// numbers are the values of an entry of 16 or 32 bits.
func (h *header) numbers(tag int32) []uint32 {
	e, ok := h.entries[tag]
	size := map[uint32]int{typeInt16: 2, typeInt32: 4}[e.kind]
	if !ok || size == 0 || uint64(e.count)*uint64(size) > uint64(len(e.data)) {
		return nil
	}
	list := make([]uint32, e.count)
	for i := range list {
		if size == 2 {
			list[i] = uint32(binary.BigEndian.Uint16(e.data[i*2:]))
		} else {
			list[i] = binary.BigEndian.Uint32(e.data[i*4:])
		}
	}
	return list
}

func (h *header) number(tag int32) uint32 {
	if list := h.numbers(tag); len(list) > 0 {
		return list[0]
	}
	return 0
}

func (h *header) binary(tag int32) []byte {
	e, ok := h.entries[tag]
	if !ok || e.kind != typeBinary || uint64(e.count) > uint64(len(e.data)) {
		return nil
	}
	return e.data[:e.count]
}
