package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// captureFile is a plain sink for the tests of this package: it makes a pcapng file, at once and without a bound.
// The sinks that programs use are in the packages below this one.
type captureFile struct {
	name string
	w    io.Writer

	mu         sync.Mutex // guards what follows
	data       []byte     // not written yet
	interfaces uint32
	wake       chan struct{} // capacity 1
}

func newCaptureFile(name string, w io.Writer) *captureFile {
	s := &captureFile{name: name, w: w, data: savefile.AppendSectionHeader(nil, "test"), wake: make(chan struct{}, 1)}
	s.wake <- struct{}{}
	return s
}

func (s *captureFile) Name() string { return s.name }

func (s *captureFile) Attach(src sink.Source) sink.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = savefile.AppendInterface(s.data, savefile.Interface{Name: src.Name(), LinkType: savefile.FromDLT(src.LinkType)})
	s.interfaces++
	return &captureFeed{file: s, id: s.interfaces - 1}
}

func (s *captureFile) Run(ctx context.Context) error {
	var spare []byte
	for running := true; running; {
		select {
		case <-s.wake:
		case <-ctx.Done():
			running = false
		}
		s.mu.Lock()
		data := s.data
		s.data = spare[:0]
		s.mu.Unlock()
		if _, err := s.w.Write(data); errors.Is(err, syscall.EPIPE) {
			return fmt.Errorf("write %s: %w (%w)", s.name, sink.ErrConsumerGone, err)
		} else if err != nil {
			return fmt.Errorf("write %s: %w", s.name, err)
		}
		spare = data
	}
	return nil
}

type captureFeed struct {
	file     *captureFile
	id       uint32
	counters sink.Counters // guarded by file.mu
}

func (f *captureFeed) Frame(p *udpstr.Packet) {
	f.file.mu.Lock()
	f.file.data = savefile.AppendPacket(f.file.data, f.id, p)
	f.counters.Written++
	f.counters.Bytes += uint64(len(p.Data))
	f.file.mu.Unlock()
	select {
	case f.file.wake <- struct{}{}:
	default:
	}
}

func (f *captureFeed) Counters() sink.Counters {
	f.file.mu.Lock()
	defer f.file.mu.Unlock()
	return f.counters
}

func (f *captureFeed) Detach(sink.Forwarded) {}
