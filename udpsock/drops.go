package udpsock

import (
	"sync/atomic"
	"syscall"
)

// Drop is one reason for which datagrams were dropped: what the system said of them. EAGAIN stands for a send buffer that
// stayed full. Where an errno comes from is not known: a firewall, the routing table or an ICMP message can give the same.
type Drop struct {
	Errno     syscall.Errno
	Datagrams uint64
}

// SendError is one kind of error that sends have met, whether the datagrams were sent again or dropped.
type SendError struct {
	Errno  syscall.Errno
	Errors uint64
}

// dropped counts n datagrams in one of the Dropped fields and by their reason.
func (s *Sender) dropped(field *atomic.Uint64, errno syscall.Errno, n int) {
	field.Add(uint64(n))
	s.drops.add(errno, n)
}

// failed counts an error in ICMPErrors or Refusals and by its errno.
func (s *Sender) failed(field *atomic.Uint64, errno syscall.Errno) {
	field.Add(1)
	s.errors.add(errno, 1)
}

// Drops returns the reasons in the order in which they were first met. The sum of their datagrams is that of
// Counters.Dropped.
func (s *Sender) Drops() (list []Drop) {
	s.drops.each(func(errno syscall.Errno, n uint64) { list = append(list, Drop{errno, n}) })
	return list
}

// Errors returns the errors in the order in which they were first met. Their sum is that of Counters.ICMPErrors and
// Counters.Refusals.
func (s *Sender) Errors() (list []SendError) {
	s.errors.each(func(errno syscall.Errno, n uint64) { list = append(list, SendError{errno, n}) })
	return list
}

// DropReasons is the length of Drops: it grows when a new reason is met. It costs one load.
func (s *Sender) DropReasons() int { return int(s.drops.used.Load()) }

// ErrorKinds is likewise the length of Errors.
func (s *Sender) ErrorKinds() int { return int(s.errors.used.Load()) }

// Refused is the errno with which the system refuses everything at present, 0 if it does not. Meanwhile one datagram a
// second is tried.
func (s *Sender) Refused() syscall.Errno { return syscall.Errno(s.refusedNow.Load()) }
