//go:build !linux && !windows

package udpsock

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

func (r *Receiver) prepare(_ syscall.RawConn, o ListenOptions) error {
	if o.GRO == On {
		return fmt.Errorf("receive offload: %w", errors.ErrUnsupported)
	}
	return nil
}

func (r *Receiver) start(o ListenOptions) error {
	_ = r.conn.SetReadBuffer(o.ReceiveBuffer) // what the system gives must do
	r.batch = newBatch(1)
	return nil
}

func (r *Receiver) receive() error {
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(r.batch.slot(0))
		if err != nil {
			if isUnreachable(err) { // an answer of ours met a closed port
				continue
			}
			return err
		}
		r.counters.batches.Add(1)
		r.counters.messages.Add(1)
		r.counters.datagrams.Add(1)
		r.counters.bytes.Add(uint64(n))
		r.batch.add(0, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), n, 0)
		return nil
	}
}

func (receiveSocket) pollDrops() {} // nobody tells
