package capture

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

const (
	fileBatchBytes  = 1 << 20 // holds several frames of MaxSnaplen
	fileBatchFrames = 1024
)

// OpenFile replays a pcap or pcapng file, with the filter and the snap length of o,
// as fast as the caller takes the frames: their time stamps are kept, the pauses
// between them are not. The filter runs in user space. The link type is that of the
// first interface in the file (raw IP, 101 there, is LinkTypeRaw here); frames of
// another one end the replay with ErrLinkType, as does a file that is damaged or
// cut short, after all frames before that have been delivered. Next never blocks
// longer than reading the file does.
func OpenFile(path string, o Options) (Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture file: %w", err)
	}
	s := &fileSource{
		path:    path,
		file:    f,
		snaplen: int(snaplenOf(o.Snaplen)),
		buf:     make([]byte, fileBatchBytes),
		frames:  make([]udpstr.Frame, 0, fileBatchFrames),
	}
	s.records, err = newRecords(bufio.NewReaderSize(f, 64<<10))
	if err == nil {
		err = s.SetFilter(o.Filter)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open capture file %s: %w", path, err)
	}
	return s, nil
}

// records reads one format of capture file.
type records interface {
	linkType() uint32 // known from the start
	// next reads one frame into buf, which holds MaxSnaplen bytes.
	next(buf []byte) (udpstr.Frame, error)
}

type fileSource struct {
	path    string
	file    *os.File
	records records
	snaplen int
	buf     []byte
	frames  []udpstr.Frame
	end     error // once set, all that Next returns

	vm                        atomic.Pointer[filter.VM] // nil: keep all
	woken, draining           atomic.Bool
	delivered, bytes, refused atomic.Uint64
	closeOnce                 sync.Once
	closeErr                  error
}

func (s *fileSource) LinkType() uint32 { return s.records.linkType() }

func (s *fileSource) Next(time.Duration) ([]udpstr.Frame, error) {
	if s.woken.Load() && s.woken.Swap(false) {
		return nil, ErrWoken
	}
	if s.end != nil {
		return nil, s.end
	}
	if s.draining.Load() {
		s.end = io.EOF
		return nil, s.end
	}
	s.batch()
	if len(s.frames) > 0 {
		s.delivered.Add(uint64(len(s.frames)))
		var bytes uint64
		for i := range s.frames {
			bytes += uint64(len(s.frames[i].Data))
		}
		s.bytes.Add(bytes)
		return s.frames, nil
	}
	if s.end != nil {
		return nil, s.end
	}
	return nil, ErrTimeout // all of a batch was refused
}

// batch reads the next frames until a buffer is full or the file ends.
func (s *fileSource) batch() {
	s.frames = s.frames[:0]
	vm := s.vm.Load()
	used := 0
	var refused uint64
	for read := 0; read < fileBatchFrames && len(s.buf)-used >= MaxSnaplen; read++ {
		f, err := s.records.next(s.buf[used:])
		if err != nil {
			s.end = err
			if err != io.EOF {
				s.end = fmt.Errorf("read capture file %s: %w", s.path, err)
			}
			break
		}
		keep := len(f.Data)
		if vm != nil {
			if keep = vm.RunBytes(f.Data, f.Len); keep == 0 {
				refused++
				continue
			}
		}
		f.Data = f.Data[:min(keep, s.snaplen, len(f.Data))]
		f.Data = f.Data[:len(f.Data):len(f.Data)]
		used += len(f.Data)
		s.frames = append(s.frames, f)
	}
	if refused > 0 {
		s.refused.Add(refused)
	}
}

func (s *fileSource) Release() {}

func (s *fileSource) SetFilter(p filter.Program) error {
	if p.VM == nil && len(p.Kernel) == 0 {
		s.vm.Store(nil)
		return nil
	}
	vm, err := p.Machine()
	if err != nil {
		return fmt.Errorf("set filter on %s: %w", s.path, err)
	}
	s.vm.Store(vm)
	return nil
}

func (s *fileSource) Stats() (Stats, error) {
	st := Stats{Delivered: s.delivered.Load(), Bytes: s.bytes.Load(), Refused: s.refused.Load()}
	st.Received = st.Delivered + st.Refused
	return st, nil
}

func (s *fileSource) Wake() { s.woken.Store(true) }

func (s *fileSource) Drain(time.Duration) error {
	s.draining.Store(true)
	return nil
}

func (s *fileSource) Close() error {
	s.closeOnce.Do(func() {
		s.end = net.ErrClosed
		s.closeErr = s.file.Close()
	})
	return s.closeErr
}
