package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
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

// Dial makes a socket with a port that the kernel chooses and connects it to remote, which sends nothing.
// Errors are *net.OpError; with Options.GSO On they match errors.ErrUnsupported where there is no offload.
func Dial(remote netip.AddrPort, o Options) (*Sender, error) {
	s := &Sender{remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), dontFragment: o.DontFragment}
	o.Local = o.Local.Unmap()
	if o.SendBuffer <= 0 {
		o.SendBuffer = DefaultSendBuffer
	}
	s.offload.Store(&offload{})
	if err := s.dial(o); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "udp", Addr: net.UDPAddrFromAddrPort(remote), Err: err}
	}
	return s, nil
}

// Send sends a run: datagrams laid end to end, each of size bytes but the last, which may be shorter. Run may be longer than
// one super-packet and is not kept. Send waits at most wait, and never more than maxWait, when the send buffer is full.
//
// It returns how many datagrams, counted from the first, are done with: sent, or dropped and counted. With a nil error that is all of
// them. A *TooLongError asks the caller to cut run[done*size:] into smaller datagrams and to send those. After Close it
// returns net.ErrClosed. Any other error is one that the kernel is not known to give: what was left is dropped and
// counted, and the socket may be used on.
func (s *Sender) Send(run []byte, size int, wait time.Duration) (done int, err error) {
	if s.closed {
		return 0, s.writeError(net.ErrClosed)
	}
	if size <= 0 {
		return 0, s.writeError(fmt.Errorf("datagrams of %d bytes", size))
	}
	s.counters.runs.Add(1)
	return s.send(run, size, min(wait, maxWait))
}

// writeError is how a send fails.
func (s *Sender) writeError(err error) error {
	return &net.OpError{Op: "write", Net: "udp", Source: net.UDPAddrFromAddrPort(s.local), Addr: net.UDPAddrFromAddrPort(s.remote), Err: err}
}

// SendMany sends datagrams of any length, without segmentation offload. Wait and results are those of Send.
func (s *Sender) SendMany(datagrams [][]byte, wait time.Duration) (done int, err error) {
	if s.closed {
		return 0, s.writeError(net.ErrClosed)
	}
	s.counters.runs.Add(1)
	return s.sendMany(datagrams, min(wait, maxWait))
}

// MaxDatagram returns the bytes of the largest datagram that travels to the remote unfragmented: the path MTU as the kernel
// knows it now, less the headers of IP and UDP. It asks the kernel (one getsockopt). Where that is not possible, it is
// what a path of 1,500 bytes takes.
func (s *Sender) MaxDatagram() int {
	if s.closed {
		return ethernetMTU - s.headers()
	}
	return s.maxDatagram()
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

// Close closes the socket. What the kernel took is still sent. It does nothing the second time.
func (s *Sender) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.close()
}

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
