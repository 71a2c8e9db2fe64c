package udpsock

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// sendSocket is a socket that is never waited for but in Send.
type sendSocket struct {
	fd      windows.Handle
	largest int // datagram that fits the path MTU, as last read
	super   superMessage
}

func (s *Sender) dial(o Options) (err error) {
	if s.fd, err = newSocket(s.ipv6()); err != nil {
		return err
	}
	if err := s.setUp(o); err != nil {
		_ = windows.Closesocket(s.fd)
		return err
	}
	s.largest = ethernetMTU - s.headers()
	s.largest = s.maxDatagram()
	return nil
}

func (s *Sender) setUp(o Options) error {
	fragment := 0
	if s.dontFragment {
		fragment = 1
	}
	if err := windows.SetsockoptInt(s.fd, level(s.ipv6()), optionDontFragment, fragment); err != nil && s.dontFragment {
		return os.NewSyscallError("setsockopt DONTFRAGMENT", err)
	}
	s.sendBuffer = setBuffer(s.fd, windows.SO_SNDBUF, o.SendBuffer)
	_ = windows.SetsockoptInt(s.fd, windows.SOL_SOCKET, windows.SO_RCVBUF, 0) // nothing is ever read here
	if err := s.probeOffload(o.GSO); err != nil {
		return err
	}
	if o.Local.IsValid() {
		a, err := sockaddr(netip.AddrPortFrom(o.Local, 0))
		if err != nil {
			return err
		}
		if err := windows.Bind(s.fd, a); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	a, err := sockaddr(s.remote)
	if err != nil {
		return err
	}
	if err := windows.Connect(s.fd, a); err != nil {
		return os.NewSyscallError("connect", err)
	}
	s.local, err = localAddr(s.fd, s.remote.Addr().Zone())
	return err
}

// probeOffload asks whether the system knows UDP_SEND_MSG_SIZE.
func (s *Sender) probeOffload(m Mode) error {
	if m == Off {
		return nil
	}
	if _, err := windows.GetsockoptInt(s.fd, windows.IPPROTO_UDP, optionSendMsgSize); err != nil {
		why := fmt.Errorf("segmentation offload: %w (%w)", os.NewSyscallError("getsockopt UDP_SEND_MSG_SIZE", err), errors.ErrUnsupported)
		if m == On {
			return why
		}
		s.offload.Store(&offload{why: why})
		return nil
	}
	s.offload.Store(&offload{on: true})
	return nil
}

func (s *Sender) ipv6() bool { return s.remote.Addr().Is6() }

func (s *Sender) send(run []byte, size int, wait time.Duration) (done int, err error) {
	t := tries{wait: wait}
	for len(run) > 0 {
		n := s.superSize(len(run), size)
		part := run[:min(n*size, len(run))]
		if n > 1 {
			err = s.sendSuper(part, size)
		} else {
			err = s.write(part)
		}
		if err == nil {
			t.again = 0
			s.counters.sent(n, len(part))
		} else if n > 1 && s.endsOffload(err, size) {
			s.counters.downgrades.Add(1)
			s.offload.Store(&offload{why: fmt.Errorf("segmentation offload: %w", err)})
			continue
		} else if n, err = s.failedDatagrams(err, &t, n, min(size, len(part))); err != nil {
			if !errors.Is(err, ErrMessageTooLong) {
				s.dropped(&s.counters.droppedOther, errnoOf(err), (len(run)+size-1)/size)
				err = s.writeError(err)
			}
			return done, err
		}
		done += n
		run = run[min(n*size, len(run)):]
	}
	return done, nil
}

func (s *Sender) sendMany(datagrams [][]byte, wait time.Duration) (done int, err error) {
	t := tries{wait: wait}
	for done < len(datagrams) {
		d, n := datagrams[done], 1
		if err := s.write(d); err == nil {
			t.again = 0
			s.counters.sent(1, len(d))
		} else if n, err = s.failedDatagrams(err, &t, 1, len(d)); err != nil {
			if !errors.Is(err, ErrMessageTooLong) {
				s.dropped(&s.counters.droppedOther, errnoOf(err), len(datagrams)-done)
				err = s.writeError(err)
			}
			return done, err
		}
		done += n
	}
	return done, nil
}

// superSize returns how many datagrams go with the next call.
func (s *Sender) superSize(bytes, size int) int {
	if !s.offload.Load().on || size > s.largest || size >= bytes {
		return 1
	}
	return max(1, min(MaxRunDatagrams, MaxRunBytes/size, (bytes+size-1)/size))
}

// endsOffload says whether an error may be about the run, rather than about each of its datagrams.
func (s *Sender) endsOffload(err error, size int) bool {
	switch errnoOf(err) {
	case windows.WSAEWOULDBLOCK, windows.WSAENOBUFS, windows.WSAEACCES:
		return false
	case windows.WSAEMSGSIZE: // unless the path takes only smaller ones now
		return !s.dontFragment || size <= s.maxDatagram()
	}
	return !isUnreachable(err)
}

// sendSuper hands a run over that the system cuts.
func (s *Sender) sendSuper(run []byte, size int) error {
	var sent uint32
	if err := windows.WSASendMsg(s.fd, s.super.hold(run, uint32(size)), 0, &sent, nil, nil); err != nil {
		return os.NewSyscallError("WSASendMsg", err)
	}
	s.counters.superPackets.Add(1)
	return nil
}

// write sends one datagram.
func (s *Sender) write(d []byte) error {
	buf := windows.WSABuf{Len: uint32(len(d)), Buf: unsafe.SliceData(d)}
	var sent uint32
	return os.NewSyscallError("WSASend", windows.WSASend(s.fd, &buf, 1, &sent, 0, nil, nil))
}

func (s *Sender) maxDatagram() int {
	option := optionMTU4
	if s.ipv6() {
		option = optionMTU6
	}
	if mtu, err := windows.GetsockoptInt(s.fd, level(s.ipv6()), option); err == nil && mtu > s.headers() {
		s.largest = min(mtu-s.headers(), MaxRunBytes)
	}
	return s.largest
}

func (s *Sender) close() error { return os.NewSyscallError("closesocket", windows.Closesocket(s.fd)) }

func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
