// Package iface lists the network interfaces that can be captured on, finds the
// ones that an operator's words select, and tells when any of them changes.
//
// # The list
//
// [List] gives what pcap_findalldevs gives, less the pseudo devices (any, nflog,
// nfqueue, usb…): all interfaces of the caller's network namespace with flags,
// link-layer address and IPv4 and IPv6 addresses. The order is that of libpcap,
// because "the first interface that matches" must mean the same interface for
// this agent and for the programs that people know. Interfaces are sorted by
//
//  1. running before not running
//  2. up before down
//  3. not disconnected before disconnected (wireless ones are never moved by this)
//  4. all others before loopback
//
// the first rule weighing most; equal ones stay in the order of the kernel's dump.
//
// # Addresses
//
// An address on the wire of RPCAP has four parts. What each holds here follows
// the address list of the C library, on which the other agents stand:
//
//	part       IPv4                                   IPv6
//	address    local address                          address; link-local: zone = index
//	netmask    from the prefix length                 from the prefix length
//	broadcast  only if the interface broadcasts:      never
//	           the configured one, else the
//	           address itself
//	peer       only if the interface is point to      the configured peer, only if the
//	           point: the peer, else the address      interface is point to point
//	           itself
//
// The zone of a link-local address is the interface index in decimal, which is the
// scope id of the wire; the net package takes it in place of a name.
//
// # Systems
//
// Linux is read through rtnetlink, the connection status through the ethtool ioctl,
// wireless through sysfs; neither needs a privilege. Elsewhere the net package
// is used: there the connection status is unknown, wireless is not detected, and
// [Watch] polls.
//
// # What it refuses to do
//
// It changes nothing on the system, opens no packet socket, and does not guess: a
// [Selector] that no interface satisfies selects nothing.
package iface
