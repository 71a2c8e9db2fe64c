package rpcap

import "fmt"

// Type is the type of a message.
type Type uint8

// The message types. A reply is its request with bit 7 set.
const (
	TypeError               Type = 1
	TypeFindAllRequest      Type = 2
	TypeOpenRequest         Type = 3
	TypeStartCaptureRequest Type = 4
	TypeUpdateFilterRequest Type = 5
	TypeClose               Type = 6
	TypePacket              Type = 7
	TypeAuthRequest         Type = 8
	TypeStatsRequest        Type = 9
	TypeEndCaptureRequest   Type = 10
	TypeSamplingRequest     Type = 11

	replyBit Type = 0x80

	TypeFindAllReply      = TypeFindAllRequest | replyBit
	TypeOpenReply         = TypeOpenRequest | replyBit
	TypeStartCaptureReply = TypeStartCaptureRequest | replyBit
	TypeUpdateFilterReply = TypeUpdateFilterRequest | replyBit
	TypeAuthReply         = TypeAuthRequest | replyBit
	TypeStatsReply        = TypeStatsRequest | replyBit
	TypeEndCaptureReply   = TypeEndCaptureRequest | replyBit
	TypeSamplingReply     = TypeSamplingRequest | replyBit
)

var typeNames = map[Type]string{
	TypeError:               "ERROR",
	TypeFindAllRequest:      "FINDALLIF_REQ",
	TypeOpenRequest:         "OPEN_REQ",
	TypeStartCaptureRequest: "STARTCAP_REQ",
	TypeUpdateFilterRequest: "UPDATEFILTER_REQ",
	TypeClose:               "CLOSE",
	TypePacket:              "PACKET",
	TypeAuthRequest:         "AUTH_REQ",
	TypeStatsRequest:        "STATS_REQ",
	TypeEndCaptureRequest:   "ENDCAP_REQ",
	TypeSamplingRequest:     "SETSAMPLING_REQ",
	TypeFindAllReply:        "FINDALLIF_REPLY",
	TypeOpenReply:           "OPEN_REPLY",
	TypeStartCaptureReply:   "STARTCAP_REPLY",
	TypeUpdateFilterReply:   "UPDATEFILTER_REPLY",
	TypeAuthReply:           "AUTH_REPLY",
	TypeStatsReply:          "STATS_REPLY",
	TypeEndCaptureReply:     "ENDCAP_REPLY",
	TypeSamplingReply:       "SETSAMPLING_REPLY",
}

// String returns the name that the protocol uses, or the number.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Reply returns the type that answers this request.
func (t Type) Reply() Type { return t | replyBit }
