// Package udpstr packs captured frames into the datagrams of the udpstr data stream and puts frames together again from
// the datagrams that arrive.
//
// The stream is a sequence of records, each a packet header and its data, without padding:
//
//	off  size  packet header (20 bytes, big-endian)
//	  0     4  time stamp, seconds since 1970
//	  4     4  time stamp, microseconds
//	  8     4  caplen: data bytes that follow in the stream
//	 12     4  len: length of the frame on the wire
//	 16     4  npkt: running number of the frame within the capture, the first is 1
//	 20     …  caplen bytes of data
//
// It is cut into datagrams (UDP payloads), each with a header of its own:
//
//	off  size  datagram header (8 bytes, big-endian)
//	  0     1  version, 0
//	  1     1  type, 110
//	  2     2  firsthdridx: offset from the start of the datagram of the first packet header that begins in it;
//	           0xffff: none does, the datagram holds only data of one frame
//	  4     4  seqno: number of the datagram within the capture, the first is 0; wraps
//	  8     …  a slice of the stream
//
// A packet header is never split, and at least one byte of its data, if it has any, follows in the same datagram. Data can be
// split over any number of datagrams. A frame continues only after a datagram that has the full size of its run; a
// shorter datagram ends with a record.
//
// [Packer] writes runs: datagrams of one size, only the last may be shorter, laid end to end so that one system call with
// segmentation offload sends them all. It looks ahead over the frames at hand and chooses the size that makes the run long:
// a header that would be split ends a run early.
//
// [Reassembler] accepts datagrams that arrive early, late, or twice, or are lost. After a loss it delivers exactly the frames
// of which no byte was lost, and returns how many are missing.
//
// Both are pure: no goroutine, no clock (time is an argument), no socket, no log; neither allocates once its buffers have
// grown. They are not safe for concurrent use. The package does not negotiate, retransmit, order frames by time, or
// interpret them. The plain format with one message a frame is in package rpcap.
package udpstr
