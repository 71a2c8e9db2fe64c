package control

import (
	"errors"
	"net/netip"
	"sync"
)

const (
	// maxHalfRead bounds the memory of messages that have not come whole, of all agents together, and maxHalfReadOfAddress of
	// those at one address, in bytes: 16 of the longest. Messages of up to 64 KiB, as agents send them, are not counted.
	maxHalfRead          = 64 << 20
	maxHalfReadOfAddress = 16 << 20
)

// errGaveWay is why a connection is closed whose message was not complete when others needed the memory.
var errGaveWay = errors.New("its message was not complete, and others needed the room")

// messageBudget is the memory of half-read messages. When it is used up, the one that was begun first gives way: a message
// that is meant to come comes at once.
type messageBudget struct {
	mu    sync.Mutex // a leaf
	total int
	of    map[netip.Addr]int
	held  []*halfRead // the oldest first
}

// halfRead is the message of one connection.
type halfRead struct {
	budget *messageBudget
	addr   netip.Addr
	bytes  int
	gone   bool
	close  func() // ends the connection
}

func newMessageBudget() *messageBudget { return &messageBudget{of: make(map[netip.Addr]int)} }

// grow takes the new size of the message's memory, 0 at its end. The error is errGaveWay.
func (b *messageBudget) grow(h *halfRead, bytes int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.gone {
		return errGaveWay
	}
	if bytes == 0 {
		b.release(h)
		return nil
	}
	if h.bytes == 0 {
		b.held = append(b.held, h)
	}
	more := bytes - h.bytes
	h.bytes += more
	b.total += more
	b.of[h.addr] += more
	for b.of[h.addr] > maxHalfReadOfAddress {
		b.giveWay(h.addr)
	}
	for b.total > maxHalfRead {
		b.giveWay(netip.Addr{})
	}
	if h.gone {
		return errGaveWay
	}
	return nil
}

// gaveWay reports whether the connection was ended for want of room.
func (h *halfRead) gaveWay() bool {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	return h.gone
}

// giveWay ends the oldest, or the oldest of an address. mu is held.
func (b *messageBudget) giveWay(addr netip.Addr) {
	for _, h := range b.held {
		if !addr.IsValid() || h.addr == addr {
			h.gone = true
			b.release(h)
			h.close()
			return
		}
	}
}

// release gives the memory of a message back. mu is held.
func (b *messageBudget) release(h *halfRead) {
	if h.bytes == 0 {
		return
	}
	b.total -= h.bytes
	if b.of[h.addr] -= h.bytes; b.of[h.addr] <= 0 {
		delete(b.of, h.addr)
	}
	h.bytes = 0
	for i, o := range b.held {
		if o == h {
			b.held = append(b.held[:i], b.held[i+1:]...)
			break
		}
	}
}
