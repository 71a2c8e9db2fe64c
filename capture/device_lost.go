package capture

import (
	"fmt"
	"time"
)

const (
	// deviceBackTimeout is how long a device that has failed is waited for, and deviceRetry how often it is tried.
	deviceBackTimeout = 30 * time.Second
	deviceRetry       = time.Second
)

// lostDevice is since when there is no handle, and why.
type lostDevice struct {
	since, next time.Time // next: when to try again
	why         error
}

// adopt gives a new handle the filter and goes over to it. mu is held, or nobody else knows s.
func (s *deviceSource) adopt(d device) error {
	if err := s.install(d, s.current); err != nil {
		return err
	}
	s.handle = d
	s.meter.restart()
	return nil
}

// lose gives a handle up that has failed: its interface was removed or disabled, or its driver is being replaced. mu is held.
func (s *deviceSource) lose(why error) Event {
	_ = s.collect() // it may be too late for the last numbers
	s.handle.close()
	s.handle = nil
	now := time.Now()
	s.lost = lostDevice{since: now, next: now.Add(deviceRetry), why: why}
	return Event{Kind: InterfaceDeleted, Interface: s.options.Interface, Err: why}
}

// revive tries to open the device again, from time to time. mu is held.
func (s *deviceSource) revive(l *look) {
	now := time.Now()
	if now.Before(s.lost.next) {
		return
	}
	s.lost.next = now.Add(deviceRetry)
	err := s.reopen()
	switch {
	case err == nil:
		l.event = Event{Kind: InterfaceBack, Interface: s.options.Interface}
	case now.Sub(s.lost.since) >= deviceBackTimeout:
		l.err = opError("read", s.options.Interface, fmt.Errorf("%w: %w; not back after %v: %w", ErrInterfaceGone, s.lost.why, deviceBackTimeout, err))
	}
}

// reopen takes a new handle only of the same link type: the sensor was told one.
func (s *deviceSource) reopen() error {
	d, err := s.open()
	if err != nil {
		return err
	}
	if t := d.linkType(); t != s.link {
		err = fmt.Errorf("link type %d, not %d: %w", t, s.link, ErrLinkType)
	} else {
		err = s.adopt(d)
	}
	if err != nil {
		d.close()
	}
	return err
}
