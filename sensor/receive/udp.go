package receive

import (
	"net/netip"
	"time"

	"rpcapd/sensor/address"
	"rpcapd/sensor/status"
	"rpcapd/udpsock"
)

// Socket is a bound UDP socket that receives in batches.
type Socket interface {
	// Receive waits for datagrams until the deadline (zero: for ever) and returns how many there are.
	Receive(deadline time.Time) (int, error)
	// Datagram returns one of them, valid until the next Receive.
	Datagram(i int) (netip.AddrPort, []byte)
	// Port is the local port.
	Port() uint16
	// KernelDrops counts datagrams the kernel dropped for want of buffer space.
	KernelDrops() uint64
	// Close makes Receive return net.ErrClosed.
	Close() error
}

// runSocket is a Socket that can hand out together what receive offload has joined.
type runSocket interface {
	// Run returns n datagrams from i on, of one source: each has size bytes, the last may have fewer. They may be changed.
	Run(i int) (src netip.AddrPort, run []byte, size, n int)
}

// separator is a datagramSource that can keep out, before they take room in the receive buffer, what comes from addresses
// that nobody expects.
type separator interface {
	// Separate replaces the addresses expected. On an error everything is received.
	Separate(expected []netip.Addr) error
	// Strangers counts what was kept out.
	Strangers() uint64
	// Stranger is who has sent some of it lately; the zero address without one.
	Stranger() netip.Addr
}

// granter is a datagramSource that knows what the kernel has granted it.
type granter interface {
	// ReceiveBuffer is in bytes; granted is 0 where the system does not tell.
	ReceiveBuffer() (asked, granted int)
	// GRO says whether receive offload is on.
	GRO() bool
}

// openUDP returns what binds a data port. Where there is no IPv6 at all, every address means every IPv4 address.
func openUDP(groOff bool) func(netip.AddrPort) (Socket, error) {
	var o udpsock.ListenOptions
	if groOff {
		o.GRO = udpsock.Off
	}
	return func(addr netip.AddrPort) (Socket, error) {
		r, err := udpsock.Listen(addr, o)
		if address.NoIPv6(err) && addr.Addr() == netip.IPv6Unspecified() {
			r, err = udpsock.Listen(netip.AddrPortFrom(netip.IPv4Unspecified(), addr.Port()), o)
		}
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

// setGranted fills in what the kernel has granted a socket.
func setGranted(st *status.Port, sock Socket) {
	if g, ok := sock.(granter); ok {
		st.ReceiveBufferAsked, st.ReceiveBuffer = g.ReceiveBuffer()
		st.GRO = g.GRO()
	}
}
