// Package capture reads frames from a TPACKET_V3 ring on Linux, or from a pcap or
// pcapng file. It returns them as [udpstr.Frame], whole blocks at a time, without a
// copy.
//
// # The ring
//
// The kernel writes frames into blocks that are mapped into this process. It releases
// a block when the block is full, or Options.Retire after its start. Next
// leases one block and walks its headers once; Release gives it back.
//
//	block     0  version, offset to private area       (kernel: struct tpacket_block_desc)
//	          8  status: 0 the kernel's, 1 ours
//	         12  number of frames
//	         16  offset to the first frame
//	         20  bytes used
//	         24  sequence number of the block
//	         32  time stamps of the first and the last frame
//	         48  frames, each on a multiple of 8:
//	frame     0  offset to the next frame              (kernel: struct tpacket3_hdr)
//	          4  seconds, 8 nanoseconds
//	         12  captured length, 16 length on the wire
//	         20  status: VLAN tag present, its type present
//	         24  offset to the link-layer header, 26 to the network header
//	         32  VLAN tag, 36 its type
//	         48  struct sockaddr_ll (20 bytes)
//	         68  gap of at least 4 bytes, then the frame itself
//
// The package puts a VLAN tag that the kernel or the device removed back in place:
// the two addresses move into the gap, and the tag follows them. The captured length
// then includes the four bytes and is cut to the snap length again, as in libpcap.
//
// # Order of set-up
//
// The socket begins without a protocol. It gets the filter, then the ring, and last the
// interface and all protocols, so the ring never has a frame that the filter refuses. A member of a fanout group refuses all frames until it has joined.
//
// # Loopback and tunnels
//
// A frame on the loopback interface passes twice, going out and coming in; it is
// captured once, coming in. Devices without a link-layer header (tun, WireGuard,
// PPP, IP-in-IP, GRE) are captured from the network header on, link type 12.
//
// # Accounting
//
//	Received = RingDrops + Delivered + Refused + still in the ring
//
// Received and RingDrops are the kernel's (PACKET_STATISTICS, reset at each read,
// summed here in 64 bits). After Drain and io.EOF nothing is left in the ring and
// the equation is exact.
//
// # What it refuses to do
//
// It does not sample, shed, or buffer, and keeps no frame beyond Release. It does
// not reassemble, defragment, or compute checksums. It returns a super-frame of
// receive or transmit offload as the kernel holds it, if need be with an unfinished
// checksum. Interfaces whose frames are neither Ethernet nor IP are
// refused, and the error names their kind.
package capture
