package udpstr

// Counters is what a Reassembler has counted since it was made. At any time
//
//	Datagrams = InOrder + Reordered + Late + Duplicate + Malformed
//
// and after Flush, if the last datagram sent came,
//
//	datagrams sent = InOrder + Reordered + Lost
//
// and, with what Reassembler.Tail says of the end,
//
//	frames packed = Delivered + Missing + Tail
type Counters struct {
	Datagrams uint64 // arrived and judged; one that jumps far ahead is judged, and counted, a little later
	Bytes     uint64 // in those

	InOrder   uint64 // used; none with a higher seqno had been used or held before
	Reordered uint64 // used; came after one with a higher seqno, but in time
	Late      uint64 // not used: its seqno had been given up as lost. It stays counted in Lost
	Duplicate uint64 // not used: its seqno had come before
	Malformed uint64 // not used: no datagram of this format, or a seqno far ahead that the stream belied
	Lost      uint64 // seqnos given up

	Delivered      uint64 // frames
	DeliveredBytes uint64 // data bytes in those
	Missing        uint64 // frames of which a part was lost: gaps in npkt before and between those delivered
	LastNumber     uint64 // npkt of the last delivered frame, unwrapped

	Inconsistent uint64 // datagrams of which a part was dropped since it contradicts itself or those before
}
