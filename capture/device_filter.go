package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"

	"rpcapd/filter"
)

const (
	// backlogBytes bounds what is copied of the frames that wait when a filter is replaced.
	backlogBytes = 64 << 20
	// filterPatience is how long SetFilter waits for the reader, which may hold a frame in the memory of the device.
	filterPatience = 500 * time.Millisecond
)

// filterChange is a filter that the reader is to set.
type filterChange struct {
	program filter.Program
	done    chan error
}

// SetFilter: see Source. With a new filter a device may throw away what waits in it, so all of that is read before. This is
// done by the reader, between two frames. One that is busy for too long is not waited for. Frames that arrive in the
// microseconds of the change itself may be lost.
func (s *deviceSource) SetFilter(p filter.Program) error {
	s.setting.Lock()
	defer s.setting.Unlock()
	change := &filterChange{p, make(chan error, 1)}
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return opError("set", s.options.Interface, fmt.Errorf("filter: %w", net.ErrClosed))
	case !s.draining.IsZero():
		s.mu.Unlock()
		return nil
	case !s.gate.inside(): // there is no lease, and a reader that comes waits for mu
		defer s.mu.Unlock()
		s.rescue()
		return s.change(p)
	}
	s.pending = change
	s.mu.Unlock()
	s.pause.wake()
	patience := time.NewTimer(filterPatience)
	defer patience.Stop()
	select {
	case err := <-change.done:
		return err
	case <-patience.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil { // it came in the last moment
		return <-change.done
	}
	s.pending = nil
	return s.change(p)
}

// applyPending is the reader's, without a lease. mu is held.
func (s *deviceSource) applyPending() {
	if c := s.pending; c != nil {
		s.pending = nil
		s.rescue()
		c.done <- s.change(c.program)
	}
}

// rescue copies what waits in the device. What the old filter refuses is not kept. mu is held, and there is no lease.
func (s *deviceSource) rescue() {
	if s.handle == nil {
		return
	}
	vm := s.vm.Load()
	for n := 0; n < backlogBytes; {
		f, ok, err := s.handle.read()
		if err != nil || !ok { // the reader will meet the error again
			return
		}
		if !s.keep(vm, &f) {
			s.refused.Add(1)
			continue
		}
		f.Data = bytes.Clone(f.Data)
		n += len(f.Data)
		s.backlog = append(s.backlog, f)
	}
}

// change replaces the filter; on error the old one stays. mu is held.
func (s *deviceSource) change(p filter.Program) error {
	if s.closed {
		return opError("set", s.options.Interface, fmt.Errorf("filter: %w", net.ErrClosed))
	}
	if s.handle != nil {
		_ = s.collect() // the next reading tells as much
		if err := s.install(s.handle, p); err != nil {
			return opError("set", s.options.Interface, err)
		}
		if now, err := s.handle.drops(); err == nil {
			s.meter.addAfterReset(now)
		}
	}
	s.current = p
	return nil
}

// install gives a handle a filter, and the check in user space the same one. mu is held, or nobody else knows s.
func (s *deviceSource) install(d device, p filter.Program) error {
	var vm *filter.VM // nil keeps all
	if p.VM != nil || len(p.Kernel) > 0 {
		var err error
		vm, err = p.Machine()
		switch {
		case err == nil:
		case s.traits.filters && p.VM == nil && errors.Is(err, filter.ErrKernelOnly):
			vm = nil // only the device can run it
		default:
			return fmt.Errorf("filter: %w", err)
		}
	}
	if err := d.setFilter(p.Kernel); err != nil {
		return err
	}
	s.vm.Store(vm)
	return nil
}
