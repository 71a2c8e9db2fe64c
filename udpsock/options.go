package udpsock

import (
	"net/netip"
	"time"
)

const (
	// MaxRunDatagrams is the most datagrams of one super-packet: UDP_MAX_SEGMENTS, 64 before Linux 6.9.
	MaxRunDatagrams = 64
	// MaxRunBytes is the most bytes of one super-packet: what an IPv4 packet of 65,535 bytes has room for.
	MaxRunBytes = 65507
	// maxWait is the longest that one Send waits for room in the send buffer. The ring in front of it holds at least some
	// milliseconds of a full 10 Gbit/s link.
	maxWait = 2 * time.Millisecond
	// DefaultSendBuffer is asked for when Options has none: 64 super-packets in flight. Without CAP_NET_ADMIN
	// the kernel grants at most net.core.wmem_max.
	DefaultSendBuffer = 4 << 20
	// defaultReceiveBuffer is asked for when ListenOptions has none: 50 ms at 5 Gbit/s. Without CAP_NET_ADMIN the kernel
	// grants at most net.core.rmem_max.
	defaultReceiveBuffer = 32 << 20
	// defaultMessages is how many messages a Receiver takes at once at most. Offload makes each hold about 44 datagrams;
	// then it takes fewer, which stay in the cache.
	defaultMessages = 16
	// maxMessages bounds ListenOptions.Messages.
	maxMessages = 256
)

// Options is how a Sender is made. The zero value sends with offload if there is any and lets routers fragment.
type Options struct {
	Local        netip.Addr // source address; the zero value leaves it to the routing table
	GSO          Mode       // segmentation offload
	SendBuffer   int        // bytes of kernel memory for what is on its way out; 0: DefaultSendBuffer
	DontFragment bool       // a datagram beyond the path MTU is an error (TooLongError), not fragments
}

// ListenOptions is how a Receiver is made. The zero value is usable.
type ListenOptions struct {
	GRO           Mode // receive offload: many datagrams a message
	ReceiveBuffer int  // bytes of kernel memory for what is not yet read; 0: 32 MiB
	Messages      int  // messages received at once, each with a buffer of 64 KiB; 0: 16, at most 256
}
