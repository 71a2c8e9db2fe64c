package rpcap

import (
	"fmt"
	"iter"
)

// InterfaceList is FINDALLIF_REPLY. It keeps the encoded entries and decodes them
// one by one on demand: a list of 65,535 empty entries costs no more memory than
// its payload. The zero value is the empty list.
//
//	0 length of name   2 length of description   4 flags   8 number of addresses n
//	10 zero   12 name, description, n × (address, netmask, broadcast, peer: 128 each)
type InterfaceList struct {
	count   int
	entries []byte
}

// NewInterfaceList encodes a list of at most 65,535 interfaces.
func NewInterfaceList(interfaces ...Interface) InterfaceList {
	var l InterfaceList
	for i := range interfaces[:min(len(interfaces), 65535)] {
		l.entries = interfaces[i].append(l.entries)
		l.count++
	}
	return l
}

// Len returns the number of interfaces.
func (l InterfaceList) Len() int { return l.count }

// Size returns the length of the payload in bytes.
func (l InterfaceList) Size() int { return len(l.entries) }

// All decodes the interfaces in order.
func (l InterfaceList) All() iter.Seq[Interface] {
	return func(yield func(Interface) bool) {
		b := l.entries
		for range l.count {
			n, err := entryLen(b)
			if err != nil || !yield(decodeEntry(b[:n])) {
				return
			}
			b = b[n:]
		}
	}
}

// Append encodes the message.
func (l InterfaceList) Append(dst []byte) []byte {
	dst = Header{Type: TypeFindAllReply, Value: uint16(l.count), PayloadLen: uint32(len(l.entries))}.Append(dst)
	return append(dst, l.entries...)
}

// ParseInterfaceList checks the payload of a FINDALLIF_REPLY whose header says that
// it has count interfaces, and returns the bytes used. The list does not refer to
// payload afterwards.
func ParseInterfaceList(count uint16, payload []byte) (InterfaceList, int, error) {
	used := 0
	for i := range int(count) {
		n, err := entryLen(payload[used:])
		if err != nil {
			return InterfaceList{}, 0, fmt.Errorf("interface %d of %d: %w", i+1, count, err)
		}
		used += n
	}
	return InterfaceList{count: int(count), entries: append([]byte(nil), payload[:used]...)}, used, nil
}
