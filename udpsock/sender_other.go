//go:build !linux && !windows

package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

func (s *Sender) dial(o Options) error {
	if o.GSO == On {
		return fmt.Errorf("segmentation offload: %w", errors.ErrUnsupported)
	}
	if o.GSO == Auto {
		s.offload.Store(&offload{why: errors.ErrUnsupported})
	}
	d := net.Dialer{}
	if o.Local.IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(o.Local, 0))
	}
	if o.DontFragment {
		d.Control = setDontFragment
	}
	c, err := d.Dial("udp", s.remote.String())
	if err != nil {
		return err
	}
	s.conn = c.(*net.UDPConn)
	_ = s.conn.SetWriteBuffer(o.SendBuffer) // what the system gives must do
	s.local = s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return nil
}

func (s *Sender) send(run []byte, size int, wait time.Duration) (done int, err error) {
	defer s.limitWait(wait)()
	for len(run) > 0 {
		d := run[:min(size, len(run))]
		if err := s.sendOne(d); err != nil {
			if !errors.Is(err, ErrMessageTooLong) {
				s.dropped(&s.counters.droppedOther, errnoOf(err), (len(run)+size-1)/size)
			}
			return done, err
		}
		run = run[len(d):]
		done++
	}
	return done, nil
}

func (s *Sender) sendMany(datagrams [][]byte, wait time.Duration) (done int, err error) {
	defer s.limitWait(wait)()
	for i, d := range datagrams {
		if err := s.sendOne(d); err != nil {
			if !errors.Is(err, ErrMessageTooLong) {
				s.dropped(&s.counters.droppedOther, errnoOf(err), len(datagrams)-i)
			}
			return i, err
		}
	}
	return len(datagrams), nil
}

// limitWait sets the deadline of the writes to come and returns what takes it away.
func (s *Sender) limitWait(wait time.Duration) func() {
	_ = s.conn.SetWriteDeadline(time.Now().Add(max(wait, time.Microsecond)))
	return func() { _ = s.conn.SetWriteDeadline(time.Time{}) }
}

// sendOne sends a datagram or drops and counts it. It returns an error if neither.
func (s *Sender) sendOne(d []byte) error {
	const tries = 3 // a pending ICMP error eats a write
	var err error
	for range tries {
		if _, err = s.conn.Write(d); err == nil {
			s.counters.sent(1, len(d))
			return nil
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ENOBUFS):
			s.dropped(&s.counters.droppedFull, errnoOf(err), 1)
			return nil
		case isTooLong(err) && s.dontFragment && len(d) > s.maxDatagram():
			s.counters.shrinks.Add(1)
			return &TooLongError{Size: len(d), Max: s.maxDatagram()}
		case isTooLong(err):
			s.dropped(&s.counters.droppedTooLong, errnoOf(err), 1)
			return nil
		case !isUnreachable(err):
			return err // a *net.OpError
		}
		s.failed(&s.counters.icmpErrors, errnoOf(err))
	}
	s.dropped(&s.counters.droppedUnreachable, errnoOf(err), 1)
	return nil
}

func isTooLong(err error) bool { return errors.Is(err, errTooLong) }

func isUnreachable(err error) bool {
	for _, e := range unreachable {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Sender) maxDatagram() int { return ethernetMTU - s.headers() }

func (s *Sender) close() error { return s.conn.Close() }

// errnoOf finds the errno of an error of package net.
func errnoOf(err error) syscall.Errno {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return syscall.EAGAIN
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
