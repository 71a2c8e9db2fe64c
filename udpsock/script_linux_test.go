package udpsock

import (
	"bytes"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// script stands in for the kernel: it gives the answers one after the other, then takes everything.
type script struct {
	t       *testing.T
	answers []answer
	mtu     int
	now     time.Time
	// idle is how long poll takes; 0: as long as it may.
	idle time.Duration

	taken [][]byte // datagrams, in order
	calls []call
	polls []pollCall
}

// answer is an error, or how many messages sendmmsg takes; the zero value: all.
type answer struct {
	errno    unix.Errno
	messages int
	shrinkTo int // the path MTU from now on
}

// call is one system call that sends.
type call struct {
	datagrams int  // offered
	super     bool // with UDP_SEGMENT
	each      bool // sendmmsg
}

type pollCall struct {
	events int16
	wait   time.Duration
}

func (k *script) next() (a answer) {
	if len(k.answers) > 0 {
		a, k.answers = k.answers[0], k.answers[1:]
	}
	if a.shrinkTo > 0 {
		k.mtu = a.shrinkTo
	}
	return a
}

// datagrams reads a message as the kernel would.
func (k *script) datagrams(m *unix.Msghdr) (d [][]byte, super bool) {
	if m.Iovlen != 1 {
		k.t.Fatalf("%d vectors", m.Iovlen)
	}
	b := unsafe.Slice(m.Iov.Base, m.Iov.Len)
	if m.Controllen == 0 {
		return [][]byte{b}, false
	}
	c, err := unix.ParseSocketControlMessage(unsafe.Slice(m.Control, m.Controllen))
	if err != nil || len(c) != 1 || c[0].Header.Level != unix.IPPROTO_UDP || c[0].Header.Type != unix.UDP_SEGMENT || len(c[0].Data) < 2 {
		k.t.Fatalf("control %v, %v", c, err)
	}
	size := int(*(*uint16)(unsafe.Pointer(&c[0].Data[0])))
	d = cut(b, size)
	if len(d) < 2 || len(d) > 64 || len(b) > MaxRunBytes {
		k.t.Fatalf("super-packet of %d datagrams, %d bytes", len(d), len(b))
	}
	return d, true
}

func (k *script) take(d [][]byte) {
	for _, b := range d {
		k.taken = append(k.taken, bytes.Clone(b))
	}
}

func (k *script) sendmsg(_ int, m *unix.Msghdr) unix.Errno {
	d, super := k.datagrams(m)
	k.calls = append(k.calls, call{datagrams: len(d), super: super})
	a := k.next()
	if a.errno == 0 {
		k.take(d)
	}
	return a.errno
}

func (k *script) sendmmsg(_ int, m []message) (int, unix.Errno) {
	k.calls = append(k.calls, call{datagrams: len(m), each: true})
	a := k.next()
	if a.errno != 0 {
		return 0, a.errno
	}
	if a.messages == 0 {
		a.messages = len(m)
	}
	for i := range m[:a.messages] {
		d, super := k.datagrams(&m[i].header)
		if super {
			k.t.Fatal("super-packet in sendmmsg")
		}
		m[i].length = uint32(len(d[0]))
		k.take(d)
	}
	return a.messages, 0
}

func (k *script) pathMTU(int, bool) (int, error) { return k.mtu, nil }

func (k *script) poll(_ int, events int16, d time.Duration) {
	k.polls = append(k.polls, pollCall{events, d})
	if k.idle > 0 {
		d = min(d, k.idle)
	}
	k.now = k.now.Add(d)
}

// scripted returns a Sender with a script in place of the kernel and a path MTU of 1500.
func scripted(t *testing.T, o Options, answers ...answer) (*Sender, *script) {
	t.Helper()
	r := listen(t, loopback4, ListenOptions{})
	s := dial(t, r.LocalAddr(), o)
	k := &script{t: t, answers: answers, mtu: 1500, now: time.Unix(1, 0)}
	s.call = systemCalls{sendmsg: k.sendmsg, sendmmsg: k.sendmmsg, pathMTU: k.pathMTU, poll: k.poll,
		now: func() time.Time { return k.now }}
	s.maxDatagram()
	return s, k
}

// always is n times the same error.
func always(errno unix.Errno, n int) []answer {
	a := make([]answer, n)
	for i := range a {
		a[i].errno = errno
	}
	return a
}
