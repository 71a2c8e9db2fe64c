// Package capture reads frames from a TPACKET_V3 ring on Linux, from /dev/bpf on macOS
// and the BSDs, through a capture driver on Windows, or from a pcap or pcapng file. It
// returns them as [udpstr.Frame], without a copy, and on Linux whole blocks at a time.
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
// # Devices
//
// All systems but Linux have one source, over a device: a /dev/bpf, a handle of wpcap.dll, or raw sockets. The device reads
// frames, takes a program and counts drops, and says what of a filter is left to do here. The source does all else: what a
// program left over when the filter changes, the snap length, interfaces that go away for up to 30 s and come back, the
// end, and Close while Next waits. Received is what was read, and RingDrops, because no device says how much
// waits in it.
//
// # /dev/bpf
//
// The kernel fills one buffer while the other waits to be read. A read gives records, each a header (struct bpf_hdr,
// which every system lays out in its own way; see recordLayout) and a frame:
//
//	time stamp, captured length, length on the wire, length of the header │ frame │ padding │ next record
//
// A frame is noticed at once (BIOCIMMEDIATE), and read Options.Retire later with all that came meanwhile, or when a
// buffer is half full. OpenBSD, NetBSD and DragonFly count waits in ticks of 10 ms, so there it is one wait, of at most two
// ticks, and none when a buffer would be half full by then. The device is set to Ethernet if it offers that, else to raw IP, else the address family in front of
// each packet (DLT_NULL, DLT_LOOP: loopback and most tunnels) is taken away, and the link type is raw IP. A packet on loopback
// passes the tap once. VLAN tags are in the bytes.
//
// BIOCSETF empties the buffers. So a filter is replaced by BIOCSETFNR where the kernel has it (macOS, FreeBSD), and
// else by a second device: for a moment both have the frames, and the time stamp, which is the same in both, says whose a
// frame is. Drain leaves the kernel's program as it is and goes by the time stamp too. The filter runs here, and the kernel
// accepts everything, where the kernel cannot run it: in front of the address family it would see other offsets, of the VLAN
// tag it knows nothing, and it takes 512 instructions.
//
// The kernel's own number of received frames is not used; it has those that the filter refused. There is no
// fanout, and no number of what the device missed. An interface that is deleted is noticed within two seconds.
//
// # Accounting
//
//	Received = RingDrops + Delivered + Refused + still in the ring
//
// Received and RingDrops are the kernel's (PACKET_STATISTICS, reset at each read,
// summed here in 64 bits). After Drain and io.EOF nothing is left in the ring and
// the equation is exact.
//
// # Windows
//
// [Open] loads wpcap.dll of Npcap or WinPcap, by its full path and from the system's
// folders only: first System32\Npcap, then System32. Each function that it needs is checked
// for. Without a driver that can be used the error is a [NoDriverError]; the next call looks
// again. A handle reads without waiting. Between two reads passes, at most, the time of
// Options.Retire, or less when the driver says that much is there. Next leases one frame, in
// the memory of the driver:
//
//	header    0  seconds                               (pcap.h: struct pcap_pkthdr, with
//	          4  microseconds                           32-bit fields on Windows)
//	          8  captured length, 12 length on the wire
//
// The kernel of Windows runs the filter, and [filter.VM] runs it once more for each frame,
// because a handle may deliver what arrived before it had the filter. A frame that the driver has cut has
// passed its program, which may look beyond the cut; it is not asked again. A driver throws away what
// waits in it when it gets a new filter, so the source reads all of it before. Frames
// that arrive in the microseconds of the change may be lost.
//
// A handle fails when the adapter was removed or its driver is replaced; then another one is tried each second.
//
// [OpenRaw] needs no driver: raw sockets with SIO_RCVALL give IP packets, link type 12. There
// are no link-layer headers and no ARP, and what the sockets lose is not counted.
//
// What was run: all of this under wine 10, whose wpcap.dll stands on libpcap, but OpenRaw.
// What was only compiled: the event handle and the batch size of Npcap and WinPcap, and OpenRaw.
//
// # What it refuses to do
//
// It does not sample, shed, or buffer, and keeps no frame beyond Release. It does
// not reassemble, defragment, or compute checksums. It returns a super-frame of
// receive or transmit offload as the kernel holds it, if need be with an unfinished
// checksum. Interfaces whose frames are neither Ethernet nor IP are
// refused, and the error names their kind.
package capture
