package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"rpcapd/sensor/sink"
)

// openPlace makes and opens the directory and the list of files in it.
func (s *Sink) openPlace() (*place, error) {
	if err := os.MkdirAll(s.dir, dirMode); err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			err = errNoDirectory
		}
		return nil, failure("make directory", s.dir, err)
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, failure("open directory", s.dir, err)
	}
	info, err := root.Stat(".")
	if err != nil {
		return nil, errors.Join(failure("open directory", s.dir, err), root.Close())
	}
	l, err := openLedger(root, &s.opts, s.agentOf)
	if err != nil {
		return nil, errors.Join(failure("write the list of files in", s.dir, err), root.Close())
	}
	return &place{s.dir, root, info, l}, nil
}

// Open makes the directory, so that a mistake is found before Run. What may pass by itself, such as a full disk, is left
// to Run.
func (s *Sink) Open() error {
	p, err := s.openPlace()
	switch {
	case err == nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opened = p
	case errors.Is(err, os.ErrPermission), errors.Is(err, errLocked), errors.Is(err, errNoDirectory):
		if e := (*fileError)(nil); errors.As(err, &e) {
			e.final = true
		}
		return err
	}
	return nil
}

// Close closes what Open opened if Run never took it.
func (s *Sink) Close() error {
	s.mu.Lock()
	p := s.opened
	s.opened = nil
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.close()
}

// Run implements sink.Sink. Every failure may be tried again.
func (s *Sink) Run(ctx context.Context) error {
	err := s.run(ctx)
	if err != nil {
		s.setState(sink.Retrying, err)
	}
	return err
}

func (s *Sink) run(ctx context.Context) (err error) {
	s.mu.Lock()
	p := s.opened
	s.opened = nil
	again := !s.accepts
	s.mu.Unlock()
	defer func() {
		if err != nil {
			s.refuse()
		}
	}()
	if p == nil {
		if p, err = s.openPlace(); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if again {
		if err := probe(p.root); err != nil {
			return failure("write", filepath.Join(s.dir, probeName), err)
		}
	}
	s.kept.Store(p.ledger)
	s.mu.Lock()
	s.accepts = true
	s.mu.Unlock()
	s.setState(sink.Running, nil)
	return newWriter(s, p).run(ctx)
}
