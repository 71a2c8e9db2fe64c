package rpcap

import "encoding/binary"

// StatsReply is STATS_REPLY: 32-bit counters since STARTCAP, wrapping.
//
//	0  ifrecv   4 ifdrop   8 krnldrop   12 svrcapt
type StatsReply struct {
	IfRecv     uint32 // frames that passed the filter, those then dropped included
	IfDrop     uint32 // frames that the interface dropped
	KernelDrop uint32 // frames dropped because the ring was full
	Captured   uint32 // frames packed: the number of the last one
}

// Append encodes the message.
func (m StatsReply) Append(dst []byte) []byte {
	dst = Header{Type: TypeStatsReply, PayloadLen: 16}.Append(dst)
	for _, v := range [...]uint32{m.IfRecv, m.IfDrop, m.KernelDrop, m.Captured} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	return dst
}

// ParseStatsReply decodes the payload and returns the bytes used.
func ParseStatsReply(payload []byte) (StatsReply, int, error) {
	if len(payload) < 16 {
		return StatsReply{}, 0, short("STATS_REPLY", len(payload), 16)
	}
	return StatsReply{
		IfRecv:     binary.BigEndian.Uint32(payload),
		IfDrop:     binary.BigEndian.Uint32(payload[4:]),
		KernelDrop: binary.BigEndian.Uint32(payload[8:]),
		Captured:   binary.BigEndian.Uint32(payload[12:]),
	}, 16, nil
}
