package capture

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// Open captures on an interface through a TPACKET_V3 ring. It needs CAP_NET_RAW,
// and the interface has to exist and be up. The network namespace is that of the
// calling thread, and stays so.
func Open(o Options) (Source, error) {
	s, err := openRing(o)
	if err != nil {
		return nil, opError("open", o.Interface, err)
	}
	return s, nil
}

func openRing(o Options) (*ringSource, error) {
	o.Snaplen = snaplenOf(o.Snaplen)
	if o.Retire <= 0 {
		o.Retire = defaultRetire
	}
	s := &ringSource{
		options:    o,
		frames:     make([]udpstr.Frame, leaseFrames),
		timeToBack: interfaceBackTimeout,
	}
	if err := s.open(); err != nil {
		_ = s.free() // the first error counts
		return nil, err
	}
	return s, nil
}

// open makes what Close frees, also when it fails half-way.
func (s *ringSource) open() error {
	var err error
	if s.links, err = newLinkQuery(); err != nil {
		return err
	}
	link, err := s.links.byName(s.options.Interface)
	if err != nil {
		return err
	}
	if s.linkType, err = linkTypeOf(link.arp); err != nil {
		return err
	}
	if !link.up {
		return errDown
	}
	s.missed = link.missed
	s.vms.now = s.options.Filter.VM
	return s.start(link)
}

// start makes a ring on the interface and goes over to it; on error nothing has
// changed. The order lets no stray frame in. mu is held, or nobody else knows s.
func (s *ringSource) start(link linkState) error {
	o := &s.options
	r, err := newRing(s.linkType, plan(o.RingBytes, o.BlockBytes, o.Snaplen), o.Retire)
	if err != nil {
		return err
	}
	loopback := link.arp == unix.ARPHRD_LOOPBACK
	skipOut := loopback && !r.ignoreOutgoing()
	if err := s.connect(r, link.index, loopback); err != nil {
		r.close()
		return err
	}
	_ = s.closeRing() // the capture goes on with the new ring
	s.ring, s.cursor, s.index = r, 0, link.index
	r.nudges = &s.nudge
	r.ready = func() bool { return headerOf(s.ring.block(s.cursor)).ready() }
	s.nudge.waiter.Store(r.waiter)
	s.joined, s.loopback = o.Fanout != nil, loopback
	s.walk = walker{snaplen: o.Snaplen, tags: s.linkType == LinkTypeEthernet, skipOut: skipOut}
	s.vms.old = nil // its block numbers are another ring's
	return nil
}

// connect filters and binds a new ring, as a member of the fanout group if there is
// one: bound but outside its group it would get every frame, so it refuses all
// until it has joined; and it cannot join before it is bound.
func (s *ringSource) connect(r *ring, index int, loopback bool) error {
	o := &s.options
	first := o.Filter.Kernel
	if o.Fanout != nil {
		first = filter.RejectAll()
	}
	if err := r.attach(first); err != nil {
		return err
	}
	if err := r.bind(index, unix.ETH_P_ALL); err != nil {
		return err
	}
	if o.Promiscuous {
		if err := r.promiscuous(index); err != nil {
			return err
		}
	}
	if o.Fanout == nil {
		return nil
	}
	if err := o.Fanout.join(r, index, loopback); err != nil {
		return err
	}
	if err := r.attach(o.Filter.Kernel); err != nil {
		return errors.Join(err, o.Fanout.leave(index, r.close))
	}
	return nil
}

// LinkType checks that an interface can be captured now (it exists, is up, and
// this process may) and tells its link type. It makes no ring and receives
// nothing.
func LinkType(ifname string) (uint32, error) {
	t, err := linkTypeNow(ifname)
	if err != nil {
		return 0, opError("open", ifname, err)
	}
	return t, nil
}

func linkTypeNow(ifname string) (uint32, error) {
	q, err := newLinkQuery()
	if err != nil {
		return 0, err
	}
	defer q.close()
	link, err := q.byName(ifname)
	if err != nil {
		return 0, err
	}
	t, err := linkTypeOf(link.arp)
	if err != nil {
		return 0, err
	}
	if !link.up {
		return 0, errDown
	}
	fd, err := packetSocket(unix.SOCK_RAW)
	if err != nil {
		return 0, err
	}
	return t, os.NewSyscallError("close", unix.Close(fd))
}

var errDown = fmt.Errorf("interface is down: %w", os.NewSyscallError("bind", unix.ENETDOWN))

// interfaceBackTimeout is how long a deleted interface is waited for.
const interfaceBackTimeout = 30 * time.Second
