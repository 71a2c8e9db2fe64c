package receive

import (
	"errors"
	"net/netip"
	"syscall"

	"go.uber.org/zap"

	"rpcapd/sensor/status"
	"rpcapd/udpsock"
)

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
		noIPv6 := errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
		if noIPv6 && addr.Addr() == netip.IPv6Unspecified() {
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

// sayGranted tells once, at the start, what the kernel grants every data port.
func (p *portPool) sayGranted(sock Socket) {
	var st status.Port
	setGranted(&st, sock)
	fields := []zap.Field{
		zap.Int("receive_buffer_bytes", st.ReceiveBuffer), zap.Int("asked_bytes", st.ReceiveBufferAsked), zap.Bool("gro", st.GRO),
	}
	if st.ReceiveBuffer > 0 && st.ReceiveBuffer < st.ReceiveBufferAsked {
		p.log.Warn("the kernel grants data ports a smaller receive buffer than asked for, so bursts may be lost: raise net.core.rmem_max and restart the sensor", fields...)
		return
	}
	p.log.Info("receive buffer and offload of the data ports", fields...)
}
