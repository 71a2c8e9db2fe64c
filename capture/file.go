package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"rpcapd/udpstr"
)

const (
	fileBatchBytes  = 1 << 20 // holds several frames of MaxSnaplen
	fileBatchFrames = 1024
)

// OpenFile replays a pcap or pcapng file, perhaps compressed with gzip or zstd, with the filter and the snap length of
// o, as fast as the caller takes the frames: their time stamps are kept, the pauses between them are not. The filter
// runs in user space. The link type is that of the first frame (raw IP, 101 there, is LinkTypeRaw here); frames of
// another one are left out, longer ones than MaxSnaplen are cut, and both are counted (Odd). A file that is damaged or
// cut short ends with a *FileError, after all frames before that have been delivered. Next looks at its deadline after each
// batch of frames.
func OpenFile(path string, o Options) (Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture file: %w", err)
	}
	s := &fileSource{
		sieve:  sieve{name: path, snaplen: int(snaplenOf(o.Snaplen))},
		file:   f,
		buf:    make([]byte, fileBatchBytes),
		frames: make([]udpstr.Frame, 0, fileBatchFrames),
	}
	if s.input, err = unpack(f); err == nil {
		s.records, err = newRecords(s.input.Reader)
	}
	if err == nil {
		err = s.SetFilter(o.Filter)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open capture file %s: %w", path, err)
	}
	return s, nil
}

type fileSource struct {
	sieve
	file    *os.File
	input   unpacked
	records records
	buf     []byte
	frames  []udpstr.Frame
	end     error // once set, all that Next returns

	draining, exhausted atomic.Bool
	gate                gate
}

func (s *fileSource) LinkType() uint32 { return s.records.linkType() }

// Exhausted tells whether the file has been read to its end, be it a good one or not.
func (s *fileSource) Exhausted() bool { return s.exhausted.Load() }

// Odd belongs to the goroutine of Next.
func (s *fileSource) Odd() Odd { return s.records.odd() }

func (s *fileSource) Next(deadline time.Time) ([]udpstr.Frame, error) {
	s.Release()
	if !s.gate.enter() {
		return nil, net.ErrClosed
	}
	frames, err := s.next(deadline)
	if err != nil {
		s.Release()
	}
	return frames, err
}

// next reads batches until the filter has left something of one.
func (s *fileSource) next(deadline time.Time) ([]udpstr.Frame, error) {
	for s.end == nil {
		switch {
		case s.gate.closed():
			return nil, net.ErrClosed
		case s.draining.Load():
			s.end = io.EOF
			return nil, s.end
		}
		s.batch()
		if len(s.frames) > 0 {
			s.count(s.frames)
			return s.frames, nil
		}
		if s.end == nil && !deadline.IsZero() && !time.Now().Before(deadline) {
			return nil, os.ErrDeadlineExceeded
		}
	}
	return nil, s.end
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
			s.end = ending(s.name, err)
			s.exhausted.Store(true)
			break
		}
		if !s.keep(vm, &f) {
			refused++
			continue
		}
		used += len(f.Data)
		s.frames = append(s.frames, f)
	}
	if refused > 0 {
		s.refused.Add(refused)
	}
}

// ending is what the end of a file is called.
func ending(name string, err error) error {
	if err == io.EOF {
		return err
	}
	return &FileError{Path: name, Err: err}
}

func (s *fileSource) Release() {
	if s.gate.leave() {
		_ = s.free() // the file was only read
	}
}

func (s *fileSource) Drain(time.Duration) error {
	s.draining.Store(true)
	return nil
}

func (s *fileSource) Close() error {
	if _, free := s.gate.close(); free {
		return s.free()
	}
	return nil
}

func (s *fileSource) free() error {
	if s.input.close != nil {
		s.input.close()
	}
	return s.file.Close()
}

// newRecords recognizes the format by its first four bytes.
func newRecords(r *bufio.Reader) (records, error) {
	magic, err := r.Peek(4)
	if err != nil {
		return nil, errFormat
	}
	if binary.BigEndian.Uint32(magic) == magicSection {
		return newPcapng(r)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(magic) {
		case magicMicroseconds:
			return newPcap(r, order, 1)
		case magicNanoseconds:
			return newPcap(r, order, 1000)
		}
	}
	return nil, errFormat
}
