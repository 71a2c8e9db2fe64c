// Package iface lists the network interfaces to capture on, finds those that a
// configuration selects, and reports when any of them changes.
//
// # The list
//
// [List] gives what pcap_findalldevs gives, less the pseudo devices (any, nflog,
// nfqueue, usb…): all interfaces of the caller's network namespace with flags,
// link-layer address and IPv4 and IPv6 addresses. The order is that of libpcap,
// so that "the first interface that matches" is the same for this agent
// and for programs on libpcap. Interfaces are sorted by
//
//  1. running before not running
//  2. up before down
//  3. not disconnected before disconnected (wireless ones are never moved by this)
//  4. all others before loopback
//
// The first rule has the highest weight. Equal interfaces keep the kernel's order.
//
// # Addresses
//
// An address in an RPCAP message has four parts. Their values follow the address
// list of the C library, which the other agents use:
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
// scope id of the wire; the net package accepts it instead of a name.
//
// # Systems
//
// On Linux, the package reads rtnetlink, the ethtool ioctl for the connection status,
// and sysfs for wireless. None of them needs a privilege.
//
// On Windows, GetAdaptersAddresses tells all of it, and NotifyIpInterfaceChange and
// NotifyUnicastIpAddressChange the changes. An adapter has the name by which capture drivers
// know it, and other names, in letters of any case:
//
//	Name      \Device\NPF_{4D36E972-E325-11CE-BFC1-08002BE10318}
//	AltNames  Ethernet 2                                  the friendly name
//	          {4D36E972-E325-11CE-BFC1-08002BE10318}      the GUID, also without braces
//
// On macOS and the BSDs the package reads the routing table (x/net/route), the media ioctl for
// the connection status and wireless, and the routing socket for changes. None of them needs
// a privilege.
//
// On other systems it uses the net package: the connection status is unknown, wireless is
// not detected, and [Watch] polls.
//
// # What it refuses to do
//
// It changes nothing on the system, opens no packet socket, and does not guess: a
// [Selector] that no interface satisfies selects nothing.
package iface
