package capture

import (
	"errors"
	"fmt"
	"time"
)

const (
	// devicePoll is how often an idle source looks at its interface: not every system wakes the reader of a device whose
	// interface is deleted.
	devicePoll = 2 * time.Second
	// deviceBackTimeout is how long a device that was lost is waited for.
	deviceBackTimeout = 30 * time.Second
)

// deviceWatch is what is known about the interface. Without a device, it says since when and why.
type deviceWatch struct {
	next time.Time // when to look again
	down bool
	lost time.Time
	why  error
}

var errDeleted = errors.New("interface deleted")

func (s *deviceSource) event(k EventKind, err error) Event {
	return Event{Kind: k, Interface: s.options.Interface, Err: err}
}

// fail gives the device up if its interface was removed or disabled, or its driver is being replaced; any other error ends
// the capture. mu is held.
func (s *deviceSource) fail(now time.Time, err error, l *look) {
	var lost lostError
	if !errors.As(err, &lost) {
		l.err = opError("read", s.options.Interface, err)
		return
	}
	_ = s.collect() // it may be too late for the last numbers
	s.retired = append(s.retired, s.handle)
	s.handle, s.until = nil, 0
	s.watch = deviceWatch{lost: now, next: now.Add(s.traits.retry), why: lost.error}
	l.event, l.again = s.event(InterfaceDeleted, lost.error), s.watch.next
}

// checkInterface looks at the interface of an idle device when it is time. mu is held.
func (s *deviceSource) checkInterface(now time.Time, l *look) {
	w := &s.watch
	if !now.Before(w.next) {
		w.next = now.Add(devicePoll)
		if !s.handle.attached() {
			s.rescue() // frames may wait in it for others
			s.fail(now, lostError{errDeleted}, l)
			return
		}
		if up, err := s.sys.up(); err == nil && up == w.down {
			w.down = !up
			l.event = s.event(InterfaceUp, nil)
			if w.down {
				l.event = s.event(InterfaceDown, nil)
			}
		}
	}
	l.again = w.next
}

// revive tries to open the device again, from time to time. mu is held.
func (s *deviceSource) revive(now time.Time, l *look) {
	w := &s.watch
	l.again = w.next
	if now.Before(w.next) {
		return
	}
	w.next = now.Add(s.traits.retry)
	l.again = w.next
	err := s.reopen()
	switch {
	case err == nil:
		*w = deviceWatch{}
		l.event, l.more = s.event(InterfaceBack, nil), true
	case now.Sub(w.lost) >= deviceBackTimeout:
		l.err = opError("read", s.options.Interface, fmt.Errorf("%w: %w; not back after %v: %w", ErrInterfaceGone, w.why, deviceBackTimeout, err))
	}
}

// reopen takes a new device only of the same link type: the sensor was told one. mu is held.
func (s *deviceSource) reopen() error {
	up, err := s.sys.up()
	if err != nil {
		return err
	}
	if !up {
		return errors.New("interface is down")
	}
	d, j, err := s.attach(s.options.Filter)
	if err != nil {
		return err
	}
	if t := d.linkType(); t != s.link {
		_ = d.close() // it was only read
		return fmt.Errorf("link type %d, not %d: %w", t, s.link, ErrLinkType)
	}
	s.adopt(d, j)
	return nil
}
