package udpsock

import (
	"net/netip"
	"time"
)

// Separate keeps out what does not come from one of the addresses: the kernel refuses it before it takes room in the
// receive buffer, and counts it, see Strangers. Each call replaces the addresses; without a call everything is received.
// On an error everything is received, as if there had been no call. Errors match errors.ErrUnsupported where the system
// cannot do it; too many addresses (about 2,000, or 450 of IPv6) are an error too.
func (r *Receiver) Separate(expected []netip.Addr) error {
	s := &r.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if e := r.raw.Control(func(fd uintptr) { err = s.separate(int(fd), expected) }); e != nil {
		return e
	}
	return err
}

// Strangers counts the datagrams that Separate has kept out. It is exact while they are few or single; of super-packets that
// came too fast to be looked at it takes the average.
func (r *Receiver) Strangers() uint64 {
	s := &r.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return s.most
}

// Stranger is an address that Separate has kept out lately, the zero address without one.
func (r *Receiver) Stranger() netip.Addr {
	s := &r.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	return s.sample.stranger(time.Now())
}
