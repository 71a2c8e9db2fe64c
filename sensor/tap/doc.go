// Package tap is a sink that writes every frame to a TAP interface. Programs that listen on an interface
// (Suricata, Zeek, Snort, ntopng, tcpdump) then see the traffic of remote agents on an interface of this machine.
//
//	feed of each stream -> bounded queue -> Run: one write for each frame -> /dev/net/tun -> rpcap0 -> AF_PACKET readers
//	                                                                                          `-> guard: dropped
//
// One goroutine writes, so the frames of a stream keep their order. The kernel passes a frame to the readers inside the write:
// no frame waits in the kernel, and a frame can be lost only in the reader's own buffer. A reader sees the time of the
// write, not of the capture.
//
// What goes in:
//
//	Ethernet                           byte for byte, 14 bytes or more (with a VLAN tag 20)
//	raw IP, BSD loopback, Linux cooked with an Ethernet header made for it: addresses zero but for a known source
//	any other link type                not at all; counted as dropped
//	a frame cut by the snap length     as it is: shorter than its headers say
//	a frame above the interface's MTU  raises the MTU, to 9216 and then to 65521
//
// The kernel accepts frames above the MTU too, up to 262,144 bytes (tested). The MTU is for readers: many use it for the size of
// their buffers when they start, and cut longer frames. Agents forward frames that segmentation and receive offload combined,
// so an interface that this package creates has the largest MTU from the start.
//
// The guard. Frames that are written to a TAP interface arrive at this machine. Without a guard, its kernel would answer
// pings in that traffic and forward packets. So the interface has no address, no ARP, no
// multicast, and no IPv6. A classifier drops every incoming frame after the readers have seen it, and every frame that
// this machine would send. No frame leaves the interface.
//
// It needs CAP_NET_ADMIN, or an interface made beforehand for the user it runs as. It never uses an interface that is not
// a TAP interface and never assigns an address. On an interface that it did not create, it changes only the guard, the MTU,
// and the state (up). Elsewhere than on Linux opening fails with errors.ErrUnsupported.
package tap
