package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

const (
	// maxInterfaces bounds the interface blocks of one file: names come from agents.
	maxInterfaces = 4096
	// finalWriteTimeout bounds the writing of what is queued at the end, where the writer supports deadlines.
	finalWriteTimeout = 2 * time.Second
	// trimEvery is how often memory that is not needed is given back.
	trimEvery = 5 * time.Second
	// interfaceSize is more than any interface block has: four texts and what is around them.
	interfaceSize = 4*(savefile.MaxText+8) + 64
	// application is what section headers name.
	application = "rpcap-sensor"

	mixedText = "the file has a second link type: tcpdump stops there, Wireshark's programs read on; with {linktype} in the Path of a [file] each has files of its own"
)

// Single is a sink that writes one pcapng stream to one file, a pipe or standard output.
//
// Frames are encoded into a chunk under mu by whoever delivers them; Run takes the chunk as soon as it is free to write,
// so a single frame leaves at once and a flood leaves in large writes. When queueChunks are waiting, frames are dropped.
type Single struct {
	name        string
	w           io.Writer
	oneLinkType bool
	log         *zap.Logger
	tick        time.Duration // tickEvery, or what a test wants

	mu         sync.Mutex // a leaf; guards all below
	queue      *chunks.Queue[singleRun]
	interfaces []*singleInterface
	index      map[interfaceKey]*singleInterface
	linkType   int64 // of the first source; -1 before it
	mixed      bool  // there was another link type, and the log knows
	begun      bool  // the section header was queued
	failed     bool
	lost       tally  // frames that were taken and could not be written
	unfit      uint64 // frames of another link type, or of more interfaces than there may be
}

// singleInterface is one interface block and the sums of all feeds that had it.
type singleInterface struct {
	id      uint32
	block   savefile.Interface
	queued  bool // the block was, in the present section
	numbers savefile.Statistics

	waiting  []*singleFeed // those with frames of which it is not known what became, in the order of the frames
	unlooked tally         // of these frames those that were written since the last look
}

// NewSingle returns a sink that writes to w. With oneLinkType (standard output, readers such as tcpdump) frames of a
// link type other than the first source's are counted out. If w has SetWriteDeadline it is used at the end; if it is
// a OneFile the stream goes on in it, with a new section, after the disk was full or the file was taken away. log may be nil.
func NewSingle(name string, w io.Writer, oneLinkType bool, log *zap.Logger) *Single {
	if log == nil {
		log = zap.NewNop()
	}
	s := &Single{
		name: name, w: w, oneLinkType: oneLinkType, log: log, tick: tickEvery,
		queue:    chunks.New[singleRun](bounds),
		index:    make(map[interfaceKey]*singleInterface),
		linkType: -1,
	}
	s.begin()
	return s
}

// begin queues the section header; s.mu is held, or nobody else knows s yet.
func (s *Single) begin() bool {
	if s.begun {
		return true
	}
	if c, _ := s.queue.Reserve(savefile.MaxText); c != nil {
		c.Data = savefile.AppendSectionHeader(c.Data, application)
		s.begun = true
	}
	return s.begun
}

// Name implements sink.Sink.
func (s *Single) Name() string { return s.name }

// Status describes the sink for the sensor's status.
func (s *Single) Status() sink.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	target := "pipe"
	if f, ok := s.w.(*OneFile); ok && f.regular {
		target = "file"
	}
	st := sink.Status{Kind: "stream", Details: []sink.Detail{
		{Name: "target", Text: target},
		number("interfaces", uint64(len(s.interfaces)), false),
		number("frames lost when writing failed", s.lost.frames, true),
		number("frames of another link type", s.unfit, true),
	}}
	return st
}

// Attach implements sink.Sink. A source seen before gets its old interface block again.
func (s *Single) Attach(src sink.Source) sink.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &singleFeed{sink: s}
	block := src.InterfaceBlock()
	if block.LinkType > savefile.MaxLinkType {
		return f // not to be expressed in a file: everything is counted out
	}
	if s.linkType < 0 {
		s.linkType = int64(block.LinkType)
	}
	if s.linkType != int64(block.LinkType) {
		if s.oneLinkType {
			s.say("frames of a second link type are left out, for readers such as tcpdump stop there; choose agents, or write a file and read it with Wireshark's programs", src)
			return f
		}
		s.say(mixedText, src)
	}
	key := keyOf(src)
	if i := s.index[key]; i != nil {
		f.iface = i
		return f
	}
	if len(s.interfaces) >= maxInterfaces {
		return f
	}
	f.iface = &singleInterface{id: uint32(len(s.interfaces)), block: block, numbers: savefile.Statistics{Start: time.Now()}}
	s.interfaces = append(s.interfaces, f.iface)
	s.index[key] = f.iface
	s.describe()
	return f
}

// say tells once of a second link type; s.mu is held.
func (s *Single) say(what string, src sink.Source) {
	if s.mixed {
		return
	}
	s.mixed = true
	s.log.Warn(what, zap.String("output", s.name), zap.Int64("first_link_type", s.linkType),
		zap.Uint32("link_type", savefile.FromDLT(src.LinkType)), zap.String("interface", printable.Name(src.Name())))
}

// describe queues the interface blocks that are not queued yet, in order; s.mu is held. False: there is no room.
func (s *Single) describe() bool {
	if s.failed || !s.begin() {
		return false
	}
	k := len(s.interfaces)
	for k > 0 && !s.interfaces[k-1].queued {
		k--
	}
	for _, i := range s.interfaces[k:] {
		c, _ := s.queue.Reserve(interfaceSize)
		if c == nil {
			return false
		}
		c.Data = savefile.AppendInterface(c.Data, i.block)
		i.queued = true
		s.queue.Signal()
	}
	return true
}

type singleFeed struct {
	sink     *Single
	iface    *singleInterface // nil: counted out
	counters sink.Counters    // guarded by sink.mu
	waiting  tally            // likewise
}

// singleRun is what a chunk has of one interface before another one has its turn.
type singleRun struct {
	iface *singleInterface
	tally
}

// Frame implements sink.Feed.
func (f *singleFeed) Frame(p *udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	first := f.enqueue(p)
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// Frames implements sink.BatchFeed.
func (f *singleFeed) Frames(batch []udpstr.Packet) {
	s := f.sink
	s.mu.Lock()
	first, ok := f.enqueueAll(batch)
	if !ok { // as many as there is room for
		for i := range batch {
			first = f.enqueue(&batch[i]) || first
		}
	}
	s.mu.Unlock()
	if first {
		s.queue.Signal()
	}
}

// enqueueAll takes frames if a chunk has room for them all; else ok is false, and nothing has happened. sink.mu is held.
func (f *singleFeed) enqueueAll(batch []udpstr.Packet) (first, ok bool) {
	s := f.sink
	if f.iface == nil || !f.iface.queued || s.failed {
		return false, false
	}
	size, t := 0, tally{frames: uint64(len(batch))}
	for i := range batch {
		n := min(len(batch[i].Data), savefile.MaxFrame)
		size += savefile.PacketSize(n)
		t.bytes += uint64(n)
	}
	c, first := s.queue.Reserve(size)
	if c == nil {
		return false, false
	}
	for i := range batch {
		c.Data = savefile.AppendPacket(c.Data, f.iface.id, &batch[i])
	}
	f.took(c, t)
	return first, true
}

// took counts what was appended to a chunk; sink.mu is held.
func (f *singleFeed) took(c *chunks.Chunk[singleRun], t tally) {
	i := f.iface
	if k := len(c.Frames); k > 0 && c.Frames[k-1].iface == i {
		c.Frames[k-1].add(t)
	} else {
		c.Frames = append(c.Frames, singleRun{i, t})
	}
	if f.waiting.frames == 0 {
		i.waiting = append(i.waiting, f)
	}
	f.waiting.add(t)
	f.counters.Waiting += t.frames
	i.numbers.Delivered += t.frames
}

// enqueue takes a frame or counts it as dropped; first says that nothing else waits. sink.mu is held.
func (f *singleFeed) enqueue(p *udpstr.Packet) (first bool) {
	s := f.sink
	var c *chunks.Chunk[singleRun]
	switch {
	case f.iface == nil:
		s.unfit++
	case s.failed || !f.iface.queued && !s.describe():
	default:
		c, first = s.queue.Reserve(savefile.PacketSize(len(p.Data)))
	}
	if c == nil {
		f.counters.Dropped++
		return false
	}
	c.Data = savefile.AppendPacket(c.Data, f.iface.id, p)
	f.took(c, tally{1, uint64(min(len(p.Data), savefile.MaxFrame))})
	return first
}

// Counters implements sink.Feed.
func (f *singleFeed) Counters() sink.Counters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.counters
}

// Detach implements sink.Feed.
func (f *singleFeed) Detach(sum sink.Forwarded) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	if f.iface != nil {
		addForwarded(&f.iface.numbers, sum)
	}
}

// addForwarded adds what an agent says at the end of a capture.
func addForwarded(to *savefile.Statistics, sum sink.Forwarded) {
	to.Known = to.Known || sum.Known
	to.Received += sum.Received
	to.InterfaceDropped += sum.InterfaceDropped
	to.KernelDropped += sum.KernelDropped
}

// Run implements sink.Sink.
func (s *Single) Run(ctx context.Context) error {
	if err := s.again(); err != nil {
		return s.fail(err)
	}
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	var tick <-chan time.Time // none: there is no file to look after
	if s.looks() {
		t := time.NewTicker(s.tick)
		defer t.Stop()
		tick = t.C
	}
	for {
		if err := s.writeQueued(); err != nil {
			return s.fail(err)
		}
		select {
		case <-s.queue.Queued():
		case <-tick:
			if err := s.look(); err != nil {
				return s.fail(err)
			}
		case <-trim.C:
			s.mu.Lock()
			s.queue.Trim(spareChunks)
			s.mu.Unlock()
		case <-ctx.Done():
			return s.finish()
		}
	}
}

// again begins a new section after a failure, as soon as the file takes it. Interfaces keep their numbers.
func (s *Single) again() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed {
		return nil
	}
	if f, ok := s.w.(*OneFile); ok {
		if err := f.again(); err != nil {
			return err
		}
	}
	s.failed, s.begun = false, false
	for _, i := range s.interfaces {
		i.queued = false
	}
	s.describe()
	return nil
}

// finish writes what is queued and the statistics.
func (s *Single) finish() error {
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
		if i.queued {
			n := i.numbers
			n.End = now
			b = savefile.AppendStatistics(b, i.id, n)
		}
	}
	s.mu.Unlock()
	if _, err := s.w.Write(b); err != nil {
		return s.fail(err)
	}
	if err := s.look(); err != nil {
		return s.fail(err)
	}
	return nil
}

// writeQueued writes chunks until none is left.
func (s *Single) writeQueued() error {
	for {
		s.mu.Lock()
		c := s.queue.Take()
		s.mu.Unlock()
		if c == nil {
			return nil
		}
		n, err := s.w.Write(c.Data)
		if err != nil {
			s.wrotePart(c, n)
			return err
		}
		s.mu.Lock()
		for _, r := range c.Frames {
			s.wrote(r.iface, r.tally)
		}
		s.queue.GiveBack(c)
		s.mu.Unlock()
	}
}

// wrotePart settles a chunk of which only the first n bytes could be written.
func (s *Single) wrotePart(c *chunks.Chunk[singleRun], n int) {
	whole := savefile.Whole(c.Data[:n])
	s.mu.Lock()
	for b := range savefile.Blocks(c.Data[:whole]) {
		if b.IsPacket() {
			s.wrote(s.interfaces[b.Interface()], tally{1, uint64(b.Caplen())})
		}
	}
	s.mu.Unlock()
	_ = s.look() // before those that come later; the first error counts
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose(c.Data[whole:])
	s.queue.GiveBack(c)
}

// fail drops what is queued; further frames are counted as dropped.
func (s *Single) fail(err error) error {
	_ = s.look() // the first error counts
	s.mu.Lock()
	s.failed = true
	for c := s.queue.Take(); c != nil; c = s.queue.Take() {
		s.lose(c.Data)
	}
	s.queue.Clear()
	s.mu.Unlock()
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("write %s: %w (%w)", s.name, sink.ErrConsumerGone, err)
	}
	if s.looks() {
		return failure("write", s.name, err)
	}
	return fmt.Errorf("write %s: %w", s.name, err)
}
