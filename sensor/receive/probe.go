package receive

import (
	"fmt"
	"net/netip"

	"go.uber.org/zap"

	"rpcapd/sensor/address"
	"rpcapd/sensor/status"
)

// probe finds out at the start, rather than with the first agent, whether there are ports to be had. The error is that none
// can be opened.
func (p *portPool) probe() error {
	var first error
	var failed []string
	said := false
	for i := range p.slots {
		at := netip.AddrPortFrom(p.listen, p.slots[i].number)
		err := tryPort(at)
		if err == nil {
			if !said {
				said = p.probeKernel(at)
			}
			continue
		}
		failed = append(failed, fmt.Sprint(at.Port()))
		if first == nil {
			first = address.ListenError(fmt.Sprintf("open data port %d (UDP)", at.Port()), at, err)
		}
	}
	if len(failed) == len(p.slots) {
		return first
	}
	if first != nil {
		p.log.Warn("some data ports cannot be used; the others are", zap.Strings("ports", failed), zap.Error(first))
	}
	return nil
}

// probeKernel opens a port as captures will, and tells what the kernel grants.
func (p *portPool) probeKernel(at netip.AddrPort) bool {
	sock, err := p.open(p.bindable(at.Port()))
	if err != nil {
		return false // allocate says why, if it cannot either
	}
	p.sayGranted(sock)
	_ = sock.Close() // nothing was sent or received
	return true
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
