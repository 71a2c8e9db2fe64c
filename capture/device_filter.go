package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"
	"unsafe"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

const (
	// backlogBytes bounds what is read ahead of a new filter.
	backlogBytes = 64 << 20
	// filterPatience is how long SetFilter waits for the reader, which may hold a frame in the memory of the device.
	filterPatience = 500 * time.Millisecond
)

// filterChange is a filter that the reader is to set.
type filterChange struct {
	program filter.Program
	done    chan error
}

// SetFilter: see Source. With a new filter a device may throw away what waits in it, so all of that is read before. If a
// frame is leased that the device would overwrite, the reader does it when it comes back; one that does not is not
// waited for. Frames that arrive in the microseconds of the change itself may be lost with some devices.
func (s *deviceSource) SetFilter(p filter.Program) error {
	s.setting.Lock()
	defer s.setting.Unlock()
	change := &filterChange{p, make(chan error, 1)}
	s.mu.Lock()
	if s.handle == nil || !s.gate.inside() { // a reader that comes waits for mu
		s.leased = false
	}
	if s.closed || !s.draining.IsZero() || !s.leased || s.handle.detach() {
		defer s.mu.Unlock()
		return s.change(p)
	}
	s.pending = change
	s.mu.Unlock()
	s.sys.wake()
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
		c.done <- s.change(c.program)
	}
}

// change replaces the filter; on error the old one stays. mu is held.
func (s *deviceSource) change(p filter.Program) error {
	var err error
	switch {
	case s.closed:
		err = fmt.Errorf("filter: %w", net.ErrClosed)
	case !s.draining.IsZero():
		return nil
	case s.handle == nil: // the next device gets it
		_, _, err = s.divide(p)
	default:
		if err = s.replaceInPlace(p); errors.Is(err, errors.ErrUnsupported) {
			return s.replaceDevice(p)
		}
	}
	if err != nil {
		return opError("set", s.options.Interface, err)
	}
	s.options.Filter = p
	return nil
}

// replaceInPlace changes the program of the device between two frames. What it has meanwhile may be of either; it is
// judged by both programs as far as they run here, so that a frame that both accept stays, and none that neither accepts.
// mu is held.
func (s *deviceSource) replaceInPlace(p filter.Program) error {
	kernel, j, err := s.divide(p)
	if err != nil {
		return err
	}
	s.rescue()
	_ = s.collect() // the next reading tells as much
	if err := s.handle.replace(kernel); err != nil {
		return err
	}
	if now, err := s.handle.drops(); err == nil {
		s.meter.addAfterReset(now)
	}
	s.judges = append(s.judges, j)
	s.rescue()
	s.judges = []judge{j}
	return nil
}

// replaceDevice goes over to a second device, for kernels that empty the buffers with each new program (BIOCSETF). For
// a moment both have the frames, and the time stamp says whose a frame is. mu is held, and let go meanwhile.
func (s *deviceSource) replaceDevice(p filter.Program) error {
	old := s.handle
	d, j, err := s.attach(p)
	if err != nil {
		return opError("set", s.options.Interface, err)
	}
	border := time.Now().UnixMicro()
	s.until = border // for the reader
	s.mu.Unlock()
	time.Sleep(s.traits.settle)
	s.mu.Lock()
	if s.draining.IsZero() {
		s.until = 0
	}
	if s.closed || !s.draining.IsZero() || s.handle != old || d.linkType() != s.link {
		_ = d.close() // it was only read
		if s.handle == old && d.linkType() != s.link {
			return opError("set", s.options.Interface, fmt.Errorf("interface has changed its link type: %w", ErrLinkType))
		}
		return s.change(p) // which does what there is to do now
	}
	_ = s.collect() // without it the old device's last drops are not counted
	s.until = border
	s.rescue()
	s.retired = append(s.retired, old)
	s.adopt(d, j)
	s.until, s.after = 0, border
	s.rescue()
	s.after = 0
	s.options.Filter = p
	s.sys.wake() // whoever waits, waits for the old one
	return nil
}

// rescue copies what the device has and what passes the judges, to be leased before what it gets later. It does nothing
// while a frame is leased that would be overwritten. mu is held.
func (s *deviceSource) rescue() {
	if s.leased && !s.handle.detach() {
		return
	}
	s.leased = false
	frames := make([]udpstr.Frame, len(s.frames))
	for read := 0; read < backlogBytes; {
		n, err := s.handle.read(frames, true)
		if err != nil || n == 0 { // the reader will meet the error again
			return
		}
		for _, f := range frames[:n] {
			read += len(f.Data) + int(unsafe.Sizeof(f))
		}
		for _, f := range frames[:s.sift(frames[:n])] {
			f.Data = bytes.Clone(f.Data)
			s.backlog = append(s.backlog, f)
		}
	}
}
