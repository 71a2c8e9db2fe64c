package files

import (
	"io"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
)

const (
	// maxInterfaces bounds the interface blocks of one file: names come from agents.
	maxInterfaces = 4096
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
