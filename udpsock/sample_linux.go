package udpsock

import (
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// sampleBuffer is what the strangers' socket may queue, in bytes: a few super-packets, or a hundred datagrams.
	sampleBuffer = 128 << 10
	// sampleMost bounds the messages read at once, so that a flood costs no more than that.
	sampleMost = 512
	// strangerLasts is how long a stranger is named after what came last from it. Numbers of the sensor's page look back
	// as far.
	strangerLasts = 10 * time.Minute
	// maxMessage is the longest message, in bytes.
	maxMessage = 64 << 10
)

// sample is what is known of strangers' datagrams by looking at some: the kernel counts messages, and one message is a
// super-packet of many datagrams if offload has joined them.
type sample struct {
	messages, datagrams uint64     // read
	last                netip.Addr // who has sent the newest
	at                  time.Time  // when that was read
	buffer              []byte
}

// read takes what is queued.
func (s *sample) read(fd int) {
	if s.buffer == nil {
		s.buffer = make([]byte, maxMessage)
	}
	var name unix.RawSockaddrInet6
	var control controlBuffer
	v := unix.Iovec{Base: &s.buffer[0]}
	v.SetLen(len(s.buffer))
	for range sampleMost {
		h := unix.Msghdr{Name: (*byte)(unsafe.Pointer(&name)), Namelen: uint32(unsafe.Sizeof(name)), Iov: &v}
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&control))
		h.SetControllen(int(unsafe.Sizeof(control)))
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&h)), unix.MSG_DONTWAIT)
		if errno != 0 {
			return // nothing is left
		}
		datagrams := uint64(1)
		if c := control.parse(int(h.Controllen)); c.segment > 0 && int(n) > c.segment {
			datagrams = uint64((int(n) + c.segment - 1) / c.segment)
		}
		s.messages++
		s.datagrams += datagrams
		s.last, s.at = addressOf(&name), time.Now()
	}
}

// stranger is who has sent lately.
func (s *sample) stranger(now time.Time) netip.Addr {
	if now.Sub(s.at) > strangerLasts {
		return netip.Addr{}
	}
	return s.last
}

// total is all strangers' datagrams: those read, and for each message that the kernel dropped as many as a message had on
// average.
func (s *sample) total(dropped uint64) uint64 {
	if s.messages == 0 {
		return dropped
	}
	return s.datagrams + uint64(float64(dropped)*(float64(s.datagrams)/float64(s.messages))) // the product has more than 64 bits after a day
}

func addressOf(n *unix.RawSockaddrInet6) netip.Addr {
	if n.Family == unix.AF_INET {
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(n)).Addr)
	}
	return netip.AddrFrom16(n.Addr).Unmap()
}
