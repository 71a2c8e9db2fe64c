package udpsock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// superPacket is the message of sendmsg, built once: a buffer, and a control message UDP_SEGMENT with the size of the
// datagrams, which is left out when there is only one. It points into itself and must not be copied.
type superPacket struct {
	header  unix.Msghdr
	vector  unix.Iovec
	control [4]uint64 // at least CmsgSpace(2), aligned for a Cmsghdr
	segment *uint16   // the size, in control
	space   int       // length of what is used of control
}

func (p *superPacket) build() {
	p.space = unix.CmsgSpace(2)
	c := (*unix.Cmsghdr)(unsafe.Pointer(&p.control))
	c.Level = unix.IPPROTO_UDP
	c.Type = unix.UDP_SEGMENT
	c.SetLen(unix.CmsgLen(2))
	p.segment = (*uint16)(unsafe.Pointer(&(*[32]byte)(unsafe.Pointer(&p.control))[unix.CmsgLen(0)]))
	p.header.Iov = &p.vector
	p.header.SetIovlen(1)
	p.header.Control = (*byte)(unsafe.Pointer(&p.control))
}

// hold points the message at datagrams of size bytes laid end to end.
func (p *superPacket) hold(b []byte, size int) *unix.Msghdr {
	p.vector.Base = unsafe.SliceData(b)
	p.vector.SetLen(len(b))
	if len(b) > size {
		*p.segment = uint16(size)
		p.header.SetControllen(p.space)
	} else {
		p.header.SetControllen(0)
	}
	return &p.header
}

// sendBatch is the most messages of one sendmmsg.
const sendBatch = 64

// messageBatch is the messages of sendmmsg, built once. It points into itself and must not be copied.
type messageBatch struct {
	messages [sendBatch]message
	vectors  [sendBatch]unix.Iovec
}

func (b *messageBatch) build() {
	for i := range b.messages {
		b.messages[i].header.Iov = &b.vectors[i]
		b.messages[i].header.SetIovlen(1)
	}
}

func (b *messageBatch) hold(i int, datagram []byte) {
	b.vectors[i].Base = unsafe.SliceData(datagram)
	b.vectors[i].SetLen(len(datagram))
}

// holdRun makes a message of each datagram of a run, as many as there is room for.
func (b *messageBatch) holdRun(run []byte, size int) []message {
	n := 0
	for n < sendBatch && len(run) > 0 {
		k := min(size, len(run))
		b.hold(n, run[:k])
		run = run[k:]
		n++
	}
	return b.messages[:n]
}

// holdMany makes a message of each datagram, as many as there is room for.
func (b *messageBatch) holdMany(datagrams [][]byte) []message {
	n := min(sendBatch, len(datagrams))
	for i, d := range datagrams[:n] {
		b.hold(i, d)
	}
	return b.messages[:n]
}
