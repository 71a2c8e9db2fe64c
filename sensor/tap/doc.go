// Package tap is a sink that gives every frame to a TAP interface, so that programs that listen on an interface
// (Suricata, Zeek, Snort, ntopng, tcpdump) see the traffic of remote agents as if it were on a cable of this machine.
//
//	feed of each stream -> bounded queue -> Run: one write for each frame -> /dev/net/tun -> rpcap0 -> AF_PACKET readers
//	                                                                                          `-> guard: dropped
//
// One goroutine writes, so the frames of a stream keep their order, and the kernel hands a frame to the readers inside
// the write: none waits in the kernel, none is lost there but in the reader's own buffer. A reader sees when a frame was
// written, and not when the agent captured it.
//
// What goes in:
//
//	Ethernet                           byte for byte, 14 bytes or more (with a VLAN tag 20)
//	raw IP, BSD loopback, Linux cooked with an Ethernet header made for it: addresses zero but for a known source
//	any other link type                not at all; counted as dropped
//	a frame cut by the snap length     as it is: shorter than its headers say
//	a frame above the interface's MTU  raises the MTU, to 9216 and then to 65521
//
// The kernel takes frames above the MTU too, up to 262,144 bytes (tested). The MTU is for readers: many size their buffers
// by it when they start, and cut what is longer. Agents forward what segmentation and receive offload have put together,
// so an interface that is made here has the largest MTU from the start.
//
// The guard. What is written to a TAP interface arrives at this machine: without more, its kernel would answer pings
// sent to it by the wrong cable, and forward what it is to forward. So the interface has no address, no ARP, no
// multicast and no IPv6, and a classifier on it drops every frame behind the readers on the way in, and every frame that
// this machine would send on the way out. The interface is then a dead end.
//
// It needs CAP_NET_ADMIN, or an interface made beforehand for the user it runs as. It refuses to take over an interface
// that is no TAP interface, to give one an address, and to change one it did not make more than by the guard, its
// MTU, and setting it up. Elsewhere than on Linux opening fails with errors.ErrUnsupported.
package tap
