package udpsock

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

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

// Close closes the socket. What the kernel took is still sent. It does nothing the second time.
func (s *Sender) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.close()
}
