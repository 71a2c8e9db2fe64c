package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"syscall"
	"time"

	"rpcapd/udpstr"
)

const (
	// chunkSize is the memory of one write. A chunk is handed over when chunkFull bytes are in it, so that a frame of
	// the largest size (262,144 bytes) always fits into the next one.
	chunkSize = 512 << 10
	chunkFull = 224 << 10
	// queueChunks bounds a sink's memory (16 MiB). A writer that stalls longer than this holds loses frames.
	queueChunks = 32
	// maxInterfaces bounds the interface blocks of one file: names come from agents.
	maxInterfaces = 4096
	// finalWriteTimeout bounds the writing of what is queued at the end, where the writer supports deadlines.
	finalWriteTimeout = 2 * time.Second
)

// Pcapng is a sink that writes one pcapng stream to a file, a pipe or standard output.
//
// Frames are encoded into a chunk under mu by whoever delivers them; Run takes the chunk as soon as it is free to write,
// so a single frame leaves at once and a flood leaves in large writes. When queueChunks are waiting, frames are dropped.
type Pcapng struct {
	name        string
	w           io.Writer
	oneLinkType bool
	wake        chan struct{} // capacity 1: something was queued

	mu         sync.Mutex // a leaf; guards all below
	chunks     [][]byte   // waiting to be written, in order; the last one may be filled further
	free       [][]byte
	interfaces []*pcapngInterface
	index      map[pcapngKey]*pcapngInterface
	linkType   int64 // of the stream when oneLinkType; -1 before the first source
	failed     bool
}

type pcapngKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

// pcapngInterface is one interface block and the sums of all feeds that had it.
type pcapngInterface struct {
	id        uint32
	start     time.Time
	forwarded Forwarded
	written   uint64
}

// NewPcapng returns a sink that writes to w. With oneLinkType (standard output, readers such as tcpdump) frames of a
// link type other than the first source's are counted out. If w has SetWriteDeadline it is used at the end.
func NewPcapng(name string, w io.Writer, oneLinkType bool) *Pcapng {
	return &Pcapng{
		name: name, w: w, oneLinkType: oneLinkType,
		wake:     make(chan struct{}, 1),
		index:    make(map[pcapngKey]*pcapngInterface),
		chunks:   [][]byte{appendSectionHeader(make([]byte, 0, chunkSize))},
		linkType: -1,
	}
}

// Name implements Sink.
func (s *Pcapng) Name() string { return s.name }

// Attach implements Sink. A source seen before gets its old interface block again.
func (s *Pcapng) Attach(src Source) Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &pcapngFeed{sink: s}
	fileType := FileLinkType(src.LinkType)
	if fileType > math.MaxUint16 {
		return f // not to be expressed in a file: everything is counted out
	}
	if s.oneLinkType {
		if s.linkType < 0 {
			s.linkType = int64(fileType)
		}
		if s.linkType != int64(fileType) {
			return f
		}
	}
	key := pcapngKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
	if i := s.index[key]; i != nil {
		f.iface = i
		return f
	}
	if len(s.interfaces) >= maxInterfaces {
		return f
	}
	var room bool
	block := appendInterface(nil, src)
	if room = s.reserve(len(block)); !room {
		return f
	}
	i := &pcapngInterface{id: uint32(len(s.interfaces)), start: time.Now()}
	last := len(s.chunks) - 1
	s.chunks[last] = append(s.chunks[last], block...)
	s.interfaces = append(s.interfaces, i)
	s.index[key] = i
	f.iface = i
	s.signal()
	return f
}

// reserve makes sure that the last chunk has room for n bytes; s.mu is held. False means: drop.
func (s *Pcapng) reserve(n int) bool {
	if s.failed || n > chunkSize {
		return false
	}
	if k := len(s.chunks); k > 0 {
		if last := s.chunks[k-1]; len(last) < chunkFull && cap(last)-len(last) >= n {
			return true
		}
		if k >= queueChunks {
			return false
		}
	}
	var c []byte
	if k := len(s.free); k > 0 {
		c, s.free = s.free[k-1], s.free[:k-1]
	} else {
		c = make([]byte, 0, chunkSize)
	}
	s.chunks = append(s.chunks, c)
	return true
}

// signal tells Run that there is something to write.
func (s *Pcapng) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

type pcapngFeed struct {
	sink     *Pcapng
	iface    *pcapngInterface // nil: counted out
	counters FeedCounters     // guarded by sink.mu
}

// Frame implements Feed.
func (f *pcapngFeed) Frame(p *udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	if f.iface == nil || !s.reserve(packetSize(p)) {
		f.counters.Dropped++
		s.mu.Unlock()
		return
	}
	last := len(s.chunks) - 1
	// Run sleeps only when it has taken every chunk, so only the first frame of a lone chunk has to wake it.
	first := last == 0 && len(s.chunks[0]) == 0
	s.chunks[last] = appendPacket(s.chunks[last], f.iface.id, p)
	f.counters.Written++
	f.counters.Bytes += uint64(len(p.Data))
	f.iface.written++
	s.mu.Unlock()
	if first {
		s.signal()
	}
}

// Counters implements Feed.
func (f *pcapngFeed) Counters() FeedCounters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.counters
}

// Detach implements Feed.
func (f *pcapngFeed) Detach(sum Forwarded) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	if f.iface != nil {
		f.iface.forwarded.add(sum)
	}
}

// Run implements Sink.
func (s *Pcapng) Run(ctx context.Context) error {
	for {
		if err := s.writeQueued(); err != nil {
			return s.fail(err)
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return s.finish()
		}
	}
}

// finish writes what is queued and the statistics.
func (s *Pcapng) finish() error {
	if d, ok := s.w.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(finalWriteTimeout)) // files and blocking pipes have none
	}
	if err := s.writeQueued(); err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	now := time.Now()
	var b []byte
	for _, i := range s.interfaces {
		b = appendStatistics(b, i.id, statistics{start: i.start, end: now, forwarded: i.forwarded, written: i.written})
	}
	s.mu.Unlock()
	if _, err := s.w.Write(b); err != nil {
		return s.fail(err)
	}
	return nil
}

// writeQueued writes chunks until none is left.
func (s *Pcapng) writeQueued() error {
	for {
		s.mu.Lock()
		if len(s.chunks) == 0 || len(s.chunks[0]) == 0 {
			s.mu.Unlock()
			return nil
		}
		c := s.chunks[0]
		s.chunks = append(s.chunks[:0], s.chunks[1:]...)
		s.mu.Unlock()
		_, err := s.w.Write(c)
		s.mu.Lock()
		if len(s.free) < 2 { // after a burst the memory goes back
			s.free = append(s.free, c[:0])
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// fail drops what is queued; further frames are counted as dropped.
func (s *Pcapng) fail(err error) error {
	s.mu.Lock()
	s.failed, s.chunks, s.free = true, nil, nil
	s.mu.Unlock()
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("write %s: %w (%w)", s.name, ErrConsumerGone, err)
	}
	return fmt.Errorf("write %s: %w", s.name, err)
}
