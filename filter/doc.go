// Package filter turns the classic BPF program of a sensor into the one that the
// capture runs. It checks the program, adds a prefix that refuses the agent's own
// traffic, and limits the snap length.
//
// # A program
//
// An instruction is eight bytes; the wire carries up to 8,192 of them:
//
//	off  size  field
//	0    2     opcode
//	2    1     jt, instructions to skip if a comparison holds
//	3    1     jf, instructions to skip if it does not
//	4    4     k, a constant, an offset or a jump
//
// [Validate] accepts exactly what the kernel accepts (net/core/filter.c,
// bpf_check_classic), but for the length: the kernel stops at 4,096 instructions.
// All jumps lead forward, so that a program that passed always ends.
//
// # Own traffic
//
// A capture on the interface that carries the export would forward its own
// datagrams, and each of them would cause another. [Compose] puts instructions in
// front of the program that refuse frames between any address and a sensor's
// address with its control port or a data port in use, in both directions, and
// udpstr datagrams to any port of a sensor: those of another agent that this one
// sees, which would otherwise return without end. For the same reason udpstr
// datagrams to the ports 2003 to 2066 of any other address are refused: otherwise two agents
// with different sensors that see each other's export would forward it without end. The
// first two bytes of the UDP payload (00 6e) identify udpstr. udpstr to other ports of
// other hosts passes.
//
// Because a NAT can change the far end, frames of the near end ([Near]) are refused too:
// those with one of the agent's ports at one of its addresses.
//
//	             frame
//	               │
//	length, ethertype, source and destination address,
//	destination port                                      5 loads
//	               │no sensor's address     │a sensor's address
//	               │                   transport header, ports, first payload bytes
//	               │                        │not own              │own
//	               ▼                        ▼                     ▼
//	         A = X = 0, the program, its lengths capped        refuse
//
// Other traffic costs only the first step, which uses loads that the kernel compiles
// in line. A binary search finds the address if there are many. Frames that are too
// short go to the program.
//
// The prefix decodes Ethernet, also with one 802.1Q or 802.1ad tag in the bytes (the
// outer tag is out of the bytes in the kernel), raw IP, the loopback headers of BSD
// and the cooked headers of Linux; IPv4 with options; IPv6 with one fragment or
// jumbo header. Own traffic inside a tunnel (VXLAN, GRE, IPsec) is not recognized:
// exclude the tunnel in the sensor's filter when capturing on its outer interface.
// Later fragments carry no ports and pass, unless [Exclusion.Fragments] is set.
//
// # In the kernel or here
//
// A program that the kernel cannot hold runs in user space, on [VM]; the prefix
// stays in the kernel. This package has its own VM because that of golang.org/x/net/bpf
// gives other results than the kernel: it has no negation and no load of the length into X, shifts by 32 and
// more give 0 there (the kernel uses the low five bits), an indirect load does not
// wrap at 32 bits, the length is that of the bytes and not of the wire; and it
// runs on interface values, nearly twice as slowly. In this VM,
//
//   - a load beyond the bytes refuses the frame, so does a division by a zero in X;
//   - `ld len` gives the wire length;
//   - registers are zero at the start;
//   - the VLAN metadata comes from the caller, or from what RunBytes finds in a frame of Ethernet that has
//     its tags in the bytes, as files and streams have them;
//   - other metadata of the kernel (packet type, interface index, mark, …) and
//     offsets relative to the network header are missing: [ErrKernelOnly] refuses a
//     program that uses them and must run in user space.
//
// The VM sees only what was captured. So the kernel's part cuts frames beyond the
// last byte that the program can load, not at the snap length.
//
// # VLAN tags
//
// Linux takes the outer tag of an Ethernet frame out of the bytes before a filter runs, and a program gets it from two
// large offsets: [TagPresent] and [TagField]. A program compiled for a file looks for the tag in the bytes. [ByTag] joins
// a program for frames whose tag is metadata and one for other frames:
//
//	ldb [0xfffff030];  jeq 1  ──yes──►  tagged   (ja in front when it is more than 255 instructions away)
//	                     └──────no───►  untagged
//
// # What it refuses to do
//
// It compiles no filter expressions, attaches nothing, keeps no state between
// frames, and never widens a program: what the sensor's program refuses stays
// refused.
package filter
