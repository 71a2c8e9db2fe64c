package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
)

const (
	// bpfSettle is many times what a frame needs from its time stamp to the buffer.
	bpfSettle = 10 * time.Millisecond
	// maxCarried bounds what is read into memory while a filter changes.
	maxCarried = 64
)

// bpfDrain says how a source ends.
type bpfDrain struct {
	until    int64     // time stamp of the last frame that counts
	settled  time.Time // from then on, what is not in the device does not come
	deadline time.Time
}

// SetFilter: see Source.
func (s *bpfSource) SetFilter(p filter.Program) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return opError("set", s.options.Interface, fmt.Errorf("filter: %w", net.ErrClosed))
	}
	if s.draining.Load() != nil {
		return nil
	}
	defer func() { s.scratch = nil }()
	kernel, j, err := bpfProgram(p, s.strip)
	if err == nil && s.device != nil {
		if err = s.replaceInPlace(kernel, j); errors.Is(err, errors.ErrUnsupported) {
			err = s.replaceDevice(p)
		}
	}
	if err != nil {
		return opError("set", s.options.Interface, err)
	}
	s.options.Filter, s.judge = p, j
	s.sys.nudge()
	return nil
}

// replaceInPlace changes the kernel's program between two frames. What is in the buffers meanwhile may be of either; it is
// judged by both programs as far as they run here, so that a frame that both accept stays, and none that neither accepts.
// mu is held.
func (s *bpfSource) replaceInPlace(kernel []bpf.RawInstruction, j judge) error {
	judged := s.judge.vm != nil || j.vm != nil
	if judged {
		if err := s.carry(s.device, batch{judges: []judge{s.judge}}); err != nil {
			return err
		}
	}
	if err := s.device.replace(kernel); err != nil || !judged {
		return err
	}
	_ = s.carry(s.device, batch{judges: []judge{s.judge, j}}) // the reader gets the same error, and judges what it reads
	return nil
}

// replaceDevice goes over to a second device, for kernels that empty the buffers with each new program (BIOCSETF). For
// a moment both have frames. The time stamp says whose a frame is: the kernel takes it once for all devices. Each frame
// is in its buffer within bpfSettle. mu is held, and let go meanwhile.
func (s *bpfSource) replaceDevice(p filter.Program) error {
	old, before := s.device, []judge{s.judge}
	if err := s.carry(old, batch{judges: before}); err != nil {
		return err
	}
	d, j, err := s.attach(p)
	if err != nil {
		return err
	}
	border := time.Now().UnixMicro()
	s.until = border // for the reader
	s.mu.Unlock()
	time.Sleep(bpfSettle)
	s.mu.Lock()
	s.until = 0
	switch {
	case s.closed:
		err = net.ErrClosed
	case s.device == nil: // gone; the next one gets the program
		return d.close()
	case s.device != old: // gone, and back with the old program
		d.close()
		return s.replaceDevice(p)
	case d.link() != old.link():
		err = fmt.Errorf("interface has changed its link type: %w", ErrLinkType)
	default:
		if err = s.carry(old, batch{judges: before, until: border}); err == nil {
			err = s.carry(d, batch{judges: []judge{j}, after: border})
		}
	}
	if err != nil {
		d.close()
		return err
	}
	_ = s.collect() // without it the old device's last drops are not counted
	s.retired = append(s.retired, old)
	s.device, s.lastDrop = d, 0
	return nil
}

// carry reads all that a device has, to be walked before what it gets later. mu is held.
func (s *bpfSource) carry(d bpfDevice, as batch) error {
	if len(s.scratch) != d.size() {
		s.scratch = make([]byte, d.size())
	}
	for range maxCarried {
		n, err := d.read(s.scratch)
		if err != nil {
			return fmt.Errorf("empty the capture device: %w", err)
		}
		if n == 0 {
			return nil
		}
		as.data = bytes.Clone(s.scratch[:n])
		s.carried = append(s.carried, as)
	}
	return nil
}

// Drain: see Source. The kernel's program stays: another one would empty the buffers. The time stamp says which frames
// still count.
func (s *bpfSource) Drain(limit time.Duration) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return opError("drain", s.options.Interface, net.ErrClosed)
	}
	if s.draining.Load() != nil {
		return nil
	}
	now := time.Now()
	var err error
	if s.device != nil {
		defer func() { s.scratch = nil }()
		err = s.carry(s.device, batch{judges: []judge{s.judge}})
		now = time.Now()
		err = errors.Join(err, s.collect()) // no drops count from here on
	}
	s.draining.Store(&bpfDrain{until: now.UnixMicro(), settled: now.Add(bpfSettle), deadline: now.Add(limit)})
	s.sys.nudge()
	if err != nil {
		return opError("drain", s.options.Interface, err)
	}
	return nil
}

// drained says whether Drain was called and nothing more will come.
func (s *bpfSource) drained(now time.Time) bool {
	d := s.draining.Load()
	if d == nil || !s.walk.done() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.carried) > 0 {
		return false
	}
	return s.emptied || s.device == nil || !now.Before(d.deadline)
}
