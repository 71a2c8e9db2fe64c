package rpcap

import (
	"errors"
	"fmt"
)

// errUnknown is what decode returns for a type that has no parser.
var errUnknown = errors.New("no parser for this type")

// decode gives a message to the parser of its type and returns what the value
// encodes to again, and the payload bytes used. PACKET is not decoded here: its length
// is not in its header (see TestPacket…).
func decode(h Header, payload []byte) (value any, again []byte, used int, err error) {
	switch h.Type {
	case TypeError:
		var e *Error
		if e, err = ParseError(h, payload); err == nil {
			value, again, used = e, e.Append(nil), int(h.PayloadLen)
		}
	case TypeFindAllReply:
		var m InterfaceList
		if m, used, err = ParseInterfaceList(h.Value, payload); err == nil {
			n := 0
			for i := range m.All() {
				touch(&i)
				n++
			}
			if n != m.Len() {
				return nil, nil, 0, fmt.Errorf("list of %d gave %d interfaces", m.Len(), n)
			}
			value, again = m, m.Append(nil)
		}
	case TypeOpenRequest:
		value, again, used, err = one(ParseOpenRequest(payload))
	case TypeOpenReply:
		value, again, used, err = one(ParseOpenReply(payload))
	case TypeStartCaptureRequest:
		value, again, used, err = one(ParseStartCaptureRequest(payload))
	case TypeStartCaptureReply:
		value, again, used, err = one(ParseStartCaptureReply(payload))
	case TypeUpdateFilterRequest:
		value, again, used, err = one(ParseUpdateFilterRequest(payload))
	case TypeAuthRequest:
		value, again, used, err = one(ParseAuthRequest(payload))
	case TypeAuthReply:
		value, again, used, err = one(ParseAuthReply(payload))
	case TypeStatsReply:
		value, again, used, err = one(ParseStatsReply(payload))
	case TypeSamplingRequest:
		value, again, used, err = one(ParseSamplingRequest(payload))
	case TypeFindAllRequest, TypeClose, TypeStatsRequest, TypeEndCaptureRequest,
		TypeUpdateFilterReply, TypeEndCaptureReply, TypeSamplingReply:
		value, again = h.Type, AppendEmpty(nil, h.Type)
	default:
		err = errUnknown
	}
	return value, again, used, err
}

func one[M interface{ Append([]byte) []byte }](m M, used int, err error) (any, []byte, int, error) {
	if err != nil {
		return nil, nil, 0, err
	}
	return m, m.Append(nil), used, nil
}

// touch calls every accessor of an interface, for their panics.
func touch(i *Interface) {
	i.Preselected()
	for j := range i.Addresses {
		a := &i.Addresses[j]
		for _, b := range []*AddressBlock{&a.Addr, &a.Netmask, &a.Broadcast, &a.Peer} {
			b.Family()
			b.Addr()
			b.LinkLayer()
			b.IsZero()
		}
	}
}
