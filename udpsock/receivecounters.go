package udpsock

import (
	"sync"
	"sync/atomic"
)

// ReceiveCounters is what a Receiver has received since it was made.
type ReceiveCounters struct {
	Datagrams uint64
	Bytes     uint64 // UDP payload
	Messages  uint64 // what the kernel handed over; Datagrams / Messages is the gain of receive offload
	Batches   uint64 // system calls that brought something
	Truncated uint64 // messages longer than their buffer; what there was of them is in Datagrams
}

// receiveCounters are added to by the receiving goroutine once per batch and read by anybody.
type receiveCounters struct {
	datagrams, bytes, messages, batches, truncated atomic.Uint64
}

func (c *receiveCounters) snapshot() ReceiveCounters {
	return ReceiveCounters{
		Datagrams: c.datagrams.Load(), Bytes: c.bytes.Load(), Messages: c.messages.Load(), Batches: c.batches.Load(),
		Truncated: c.truncated.Load(),
	}
}

// dropSum makes 64 bits of the kernel's 32-bit count of drops, which wraps. Readings may come out of order, since the one
// that travels with a message is as old as the message.
type dropSum struct {
	mu   sync.Mutex
	last uint32
	sum  uint64
}

func (d *dropSum) reading(v uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ahead := int32(v - d.last); ahead > 0 {
		d.last = v
		d.sum += uint64(ahead)
	}
}

func (d *dropSum) total() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sum
}
