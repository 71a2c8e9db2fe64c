//go:build !linux && !windows

package udpsock

import (
	"net/netip"
	"time"
)

// answerWait is the longest that an answer waits for room in the send buffer.
const answerWait = time.Millisecond

func (r *Receiver) answer(b []byte, _ netip.Addr, to netip.AddrPort) error {
	if err := r.conn.SetWriteDeadline(time.Now().Add(answerWait)); err != nil {
		return err
	}
	_, err := r.conn.WriteToUDPAddrPort(b, to)
	return err
}
