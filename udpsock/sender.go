package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
)

// Sender is a UDP socket connected to one remote. It has one owner: Send, SendMany, MaxDatagram and Close are called by one
// goroutine at a time. The other methods may be called by anybody at any time. Waiting for room in the send buffer, maxWait at
// most, blocks the thread, not only the goroutine.
type Sender struct {
	local, remote netip.AddrPort
	dontFragment  bool
	closed        bool
	sendBuffer    int
	offload       atomic.Pointer[offload]
	counters      counters
	drops         byErrno
	errors        byErrno
	refusedNow    atomic.Uint32 // see Refused
	sendSocket                  // the platform's part
}

// offload is the present state of segmentation offload, replaced as a whole.
type offload struct {
	on  bool
	why error // why it is off, nil if it was never asked for
}

// writeError is how a send fails.
func (s *Sender) writeError(err error) error {
	return &net.OpError{Op: "write", Net: "udp", Source: net.UDPAddrFromAddrPort(s.local), Addr: net.UDPAddrFromAddrPort(s.remote), Err: err}
}

const ethernetMTU = 1500

// headers is the length of the IP and UDP headers of a datagram.
func (s *Sender) headers() int {
	if s.remote.Addr().Is4() {
		return 20 + 8
	}
	return 40 + 8
}

// GSO says whether segmentation offload is in use, and if it is not, why: nil if it was switched off by Options.
// The answer may change from true to false when Send meets a path that does not do it; Counters.Downgrades then moves too.
func (s *Sender) GSO() (on bool, why error) {
	o := s.offload.Load()
	return o.on, o.why
}

// Counters returns what was sent and dropped so far. Each value is exact; they are read one after the other, so that a Send
// under way may be in some and not in others.
func (s *Sender) Counters() Counters { return s.counters.snapshot() }

// LocalAddr returns the source address and port.
func (s *Sender) LocalAddr() netip.AddrPort { return s.local }

// RemoteAddr returns where the datagrams go.
func (s *Sender) RemoteAddr() netip.AddrPort { return s.remote }

// SendBuffer returns the bytes of the send buffer that the kernel granted; on Linux twice what is asked for, since its own overhead is
// charged too. 0: not known.
func (s *Sender) SendBuffer() int { return s.sendBuffer }

// ErrMessageTooLong is what a TooLongError is, for errors.Is.
var ErrMessageTooLong = errors.New("datagram longer than the path takes")

// TooLongError says that the path to the remote takes only smaller datagrams than those that were to be sent, because its
// MTU has shrunk. What was not sent is to be cut anew into datagrams of at most Max bytes.
type TooLongError struct {
	Size int // bytes of the datagram that was refused
	Max  int // bytes of the largest that the path takes now, see Sender.MaxDatagram
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("send datagram of %d bytes: path takes %d", e.Size, e.Max)
}

// Is makes errors.Is(err, ErrMessageTooLong) true.
func (e *TooLongError) Is(target error) bool { return target == ErrMessageTooLong }
