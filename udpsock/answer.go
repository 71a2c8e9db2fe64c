package udpsock

import "net/netip"

// Answer sends a datagram from the socket's port back to somebody, and does not wait: a full send buffer is an error. from is
// the address that the other end has sent to, for hosts with several; the zero value leaves it to the routing table, and so do
// systems other than Linux. It is called by the goroutine that receives.
func (r *Receiver) Answer(b []byte, from netip.Addr, to netip.AddrPort) error {
	return r.answer(b, from, to)
}
