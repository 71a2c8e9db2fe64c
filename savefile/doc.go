// Package savefile encodes capture files: pcapng (draft-ietf-opsawg-pcapng) and classic pcap (draft-ietf-opsawg-pcap).
// It appends bytes to the caller's slice and uses no file, no clock, and no state. Block reads blocks that this package has
// encoded; Reader decodes pcapng files of any origin.
//
// A pcapng file is a section header, then interface blocks, frames and statistics in any order, as long as the block of
// an interface comes before its frames. Interfaces are numbered from 0 in the order of their blocks.
//
//	section header | interface 0 | frame of 0 | interface 1 | frame of 1 | frame of 0 | … | statistics of 0 | of 1
//
//	off  size  enhanced packet block (little-endian)
//	  0     4  type, 6
//	  4     4  length of the block, also its last 4 bytes
//	  8     4  number of the interface
//	 12     8  microseconds since 1970, high half first
//	 20     4  caplen: data bytes that follow
//	 24     4  len: length of the frame on the wire
//	 28     …  data, then 0 to 3 zero bytes up to a multiple of 4, then the length again
//
// A classic pcap file is a header of 24 bytes that names the one link type of the file, then records:
//
//	off  size  record (little-endian)
//	  0     4  seconds since 1970
//	  4     4  microseconds
//	  8     4  caplen
//	 12     4  len
//	 16     …  data
//
// The append functions allocate nothing if the slice has room; the Size functions return how much they need. They write
// nothing that a reader refuses: they raise a len below caplen, cut texts at MaxText bytes, and cut data at MaxFrame. They
// write texts unchanged, so clean texts of agents before you show them.
//
// The package does not compress, does not write other block types than the four above, and does not read the time.
package savefile
