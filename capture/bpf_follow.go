package capture

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

const (
	// bpfLinkPoll is how often an idle source looks at its interface: not every kernel wakes the reader of a device whose
	// interface is deleted.
	bpfLinkPoll = 2 * time.Second
	// bpfGonePoll is how often a deleted interface is looked for, and bpfTimeToBack for how long.
	bpfGonePoll   = 250 * time.Millisecond
	bpfTimeToBack = 30 * time.Second
)

// bpfFollow is what the reader knows about the interface.
type bpfFollow struct {
	next       time.Time // when to look again
	down       bool
	gone       time.Time // when the interface was deleted; zero: it is there
	timeToBack time.Duration
	events     []Event // to be told when no lock is held
}

// isGone recognizes a read from a device whose interface was deleted: ENXIO on FreeBSD, DragonFly, NetBSD and macOS, EIO on OpenBSD and
// for some drivers of macOS.
func isGone(err error) bool {
	return errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENODEV)
}

// lost notes that the device has lost its interface, or returns the error that ends the capture. An interface that was
// only set down (ENETDOWN) is the next look's. mu is held.
func (s *bpfSource) lost(now time.Time, err error) error {
	switch {
	case isGone(err):
		s.letGo(now)
		return nil
	case errors.Is(err, syscall.ENETDOWN):
		return nil
	}
	return s.finish(opError("read", s.options.Interface, err))
}

// letGo gives the device up. mu is held.
func (s *bpfSource) letGo(now time.Time) {
	_ = s.collect() // a device without an interface may still have its numbers
	s.retired = append(s.retired, s.device)
	s.device, s.lastDrop = nil, 0
	s.since = time.Time{}
	s.follow.gone, s.follow.next = now, now
	s.tell(InterfaceDeleted)
}

func (s *bpfSource) tell(k EventKind) {
	s.follow.events = append(s.follow.events, Event{Kind: k, Interface: s.options.Interface})
}

func (s *bpfSource) tellAll() {
	for _, e := range s.follow.events {
		if s.options.OnEvent != nil {
			s.options.OnEvent(e)
		}
	}
	s.follow.events = s.follow.events[:0]
}

// checkLink looks at the interface when it is time. The error ends the capture.
func (s *bpfSource) checkLink(now time.Time) error {
	f := &s.follow
	if now.Before(f.next) {
		return nil
	}
	if f.gone.IsZero() {
		f.next = now.Add(bpfLinkPoll)
		s.stillThere(now)
		return nil
	}
	f.next = now.Add(bpfGonePoll)
	if now.Sub(f.gone) >= f.timeToBack {
		return opError("read", s.options.Interface, fmt.Errorf("%w: deleted, and not back after %v", ErrInterfaceGone, f.timeToBack))
	}
	if up, err := s.sys.up(s.options.Interface); err == nil && up && s.draining.Load() == nil {
		s.comeBack()
	}
	return nil
}

// stillThere tells of an interface that is set down or up, and notices one that was deleted.
func (s *bpfSource) stillThere(now time.Time) {
	s.mu.Lock()
	attached := s.device.attached()
	if !attached {
		s.letGo(now)
	}
	s.mu.Unlock()
	up, err := s.sys.up(s.options.Interface)
	if !attached || err != nil || up != s.follow.down {
		return
	}
	s.follow.down = !up
	kind := InterfaceUp
	if !up {
		kind = InterfaceDown
	}
	s.tell(kind)
}

// comeBack goes on with an interface of the same name and link type. One that cannot be attached yet is tried again.
func (s *bpfSource) comeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	d, j, err := s.attach(s.options.Filter)
	if err != nil {
		return
	}
	if link := d.link(); link.linkType != s.linkType || link.strip != s.strip {
		d.close()
		return
	}
	s.device, s.judge = d, j
	s.follow.gone, s.follow.down = time.Time{}, false
	s.tell(InterfaceBack)
}
