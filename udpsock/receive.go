package udpsock

import (
	"fmt"
	"net/netip"
	"time"
)

// Listen binds a socket to addr; port 0 lets the kernel choose. The unspecified IPv6 address takes IPv4 too, with sources as
// plain IPv4 addresses. Errors are *net.OpError; with ListenOptions.GRO On they match errors.ErrUnsupported where there is none.
func Listen(addr netip.AddrPort, o ListenOptions) (*Receiver, error) {
	if o.Messages < 0 || o.Messages > maxMessages {
		return nil, fmt.Errorf("listen on %v: %d messages a batch, not within 1 to %d", addr, o.Messages, maxMessages)
	}
	if o.Messages == 0 {
		o.Messages = defaultMessages
	}
	if o.ReceiveBuffer <= 0 {
		o.ReceiveBuffer = defaultReceiveBuffer
	}
	r := &Receiver{asked: o.ReceiveBuffer}
	if err := r.listen(addr, o); err != nil {
		return nil, err
	}
	return r, nil
}

// Receive waits for datagrams and returns how many came; Datagram hands them out. They are in the order in which they arrived. A
// zero deadline waits for ever. Once it has passed the error is os.ErrDeadlineExceeded, on Linux only if no datagram is
// there: a caller that comes late does not give up what has come in time. After Close the error is net.ErrClosed. Nothing is
// allocated unless the deadline passes.
func (r *Receiver) Receive(deadline time.Time) (int, error) {
	r.batch.reset()
	if !deadline.Equal(r.deadline) {
		if err := r.setDeadline(deadline); err != nil {
			return 0, err
		}
		r.deadline = deadline
	}
	if err := r.receive(); err != nil {
		return 0, err
	}
	return len(r.batch.datagrams), nil
}

// KernelDrops returns how often the kernel has dropped something at this socket since Listen, for want of room in the
// receive buffer or because of a wrong checksum. That is datagrams without receive offload; with it what is dropped may hold many
// datagrams and counts once, so the number is a lower bound. 0 where the system does not tell.
func (r *Receiver) KernelDrops() uint64 {
	r.pollDrops()
	return r.drops.total()
}

// Close makes Receive return net.ErrClosed and frees the port. Datagrams of the last Receive stay valid. It does nothing the second time.
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.pollDrops()
		r.strangers.close()
		r.closeErr = r.closeSocket()
	})
	return r.closeErr
}
