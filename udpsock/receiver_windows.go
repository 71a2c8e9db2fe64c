package udpsock

import (
	"errors"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// receive takes what is there, as many datagrams as there are slots, and waits for the first.
func (r *Receiver) receive() error {
	r.using.Lock()
	defer r.using.Unlock()
	if r.ended {
		return r.readError(net.ErrClosed)
	}
	for {
		n, err := r.take()
		switch {
		case n > 0: // an error comes again
			return nil
		case err == nil || isUnreachable(err): // an answer of ours met a closed port
		case !errors.Is(err, windows.WSAEWOULDBLOCK):
			return r.readError(err)
		default:
			if err := r.waitReady(); err != nil {
				return err
			}
		}
	}
}

// take fills the slots, and returns how many datagrams it has got.
func (r *Receiver) take() (n int, err error) {
	bytes := 0
	for n < len(r.batch.sources) {
		slot := r.batch.slot(n)
		buf := windows.WSABuf{Len: uint32(len(slot)), Buf: &slot[0]}
		var got, flags uint32
		length := int32(unsafe.Sizeof(r.from))
		err = windows.WSARecvFrom(r.fd, &buf, 1, &got, &flags, &r.from, &length, nil, nil)
		if errors.Is(err, windows.WSAEMSGSIZE) {
			r.counters.truncated.Add(1)
			got, err = buf.Len, nil
		}
		if err != nil {
			err = os.NewSyscallError("WSARecvFrom", err)
			break
		}
		r.batch.add(n, r.source(), int(got), 0)
		bytes += int(got)
		n++
	}
	if n > 0 {
		r.counters.batches.Add(1)
		r.counters.messages.Add(uint64(n))
		r.counters.datagrams.Add(uint64(n))
		r.counters.bytes.Add(uint64(bytes))
	}
	return n, err
}

// waitReady returns when something may be there; an error says that the deadline has passed or the socket is closed.
func (r *Receiver) waitReady() error {
	timeout := uint32(windows.INFINITE)
	if !r.deadline.IsZero() {
		rest := time.Until(r.deadline)
		if rest <= 0 {
			return r.readError(os.ErrDeadlineExceeded)
		}
		timeout = uint32(min((rest+time.Millisecond-1)/time.Millisecond, 1<<30))
	}
	which, err := windows.WaitForMultipleObjects([]windows.Handle{r.closed, r.ready}, false, timeout)
	switch {
	case err != nil:
		return r.readError(os.NewSyscallError("WaitForMultipleObjects", err))
	case which == windows.WAIT_OBJECT_0:
		return r.readError(net.ErrClosed)
	}
	return nil
}

func (r *Receiver) readError(err error) error {
	return &net.OpError{Op: "read", Net: r.network, Source: net.UDPAddrFromAddrPort(r.local), Err: err}
}
