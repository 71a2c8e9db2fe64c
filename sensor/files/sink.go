package files

import (
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/config"
	"rpcapd/repeat"
	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// toldEvery is how long no further line is logged about files that others have taken away, or that cannot be deleted.
const toldEvery = 10 * time.Minute

// tickEvery is how often the clock is looked at, and whether files and directory are where they were.
const tickEvery = time.Second

// Sink is a sink.Sink that writes files into a directory. See the package's description.
type Sink struct {
	opts      Options
	dir, rest string        // of the path: what is always the same, and the pattern below it
	words     []string      // names in the pattern that tell groups apart
	every     time.Duration // tickEvery, or what a test wants
	told      repeat.Memory // what the log knows

	mu       sync.Mutex // a leaf, but for that of the ledger; guards what follows
	queue    *queue
	accepts  bool // false after a failure
	streams  []*stream
	unused   []uint32 // numbers of streams that are free
	groups   map[string]*group
	linkType int64 // of all files, if there can be only one; -1 before the first source
	opened   *place
	state    sink.State
	since    time.Time
	err      string
	errAt    time.Time
	lost     tally  // frames that were taken and could not be written
	unfit    uint64 // frames of another link type than that of the file
	crowded  uint64 // frames of more agents than there may be files
	mixed    bool   // there was a second link type, and the log knows

	takenAway uint64 // files that somebody else has taken away under way

	inUse     atomic.Int64 // bytes in files that are not complete
	written   atomic.Uint64
	completed atomic.Uint64
	deleted   atomic.Uint64
	recovered atomic.Uint64
	openFiles atomic.Int64
	last      atomic.Pointer[string] // the file that was completed last
	kept      atomic.Pointer[ledger] // of the present run
}

// feed is one stream.
type feed struct {
	sink     *Sink
	id       uint32
	stream   *stream       // nil: everything is counted out
	crowded  bool          // there are files enough
	counters sink.Counters // guarded by sink.mu
}

// stream is one feed, as the goroutine that writes sees it.
type stream struct {
	feed  *feed
	group *group
	key   interfaceKey
	block savefile.Interface

	// Of the goroutine that writes.
	file  *file // in which the stream has an interface block
	first *file // the first one
	iface *fileInterface
	share *share
}

// group is a series of files, one after the other: all of a sink, or those of an agent.
type group struct {
	key     string
	series  string // for the ledger
	source  sink.Source
	streams int // guarded by Sink.mu

	// Of the goroutine that writes.
	file   *file
	base   string // the last name without a number
	number int    // behind it
	idle   time.Time
}

// New checks the options and opens nothing.
func New(o Options) (*Sink, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Sink{
		opts: o, queue: newQueue(), every: tickEvery, told: repeat.Memory{Every: toldEvery}, groups: make(map[string]*group), linkType: -1, accepts: true,
		state: sink.Running, since: time.Now(),
	}
	s.dir, s.rest = config.SplitFilePath(o.Path)
	config.ExpandFilePath(s.rest, func(string) {}, func(byte) {}, func(word string) { s.words = append(s.words, word) })
	return s, nil
}

// Name implements sink.Sink.
func (s *Sink) Name() string { return s.opts.Name }

// note keeps an error for the status; s.mu is held.
func (s *Sink) note(err error) { s.err, s.errAt = err.Error(), time.Now() }

// setState notes a state and the error behind it.
func (s *Sink) setState(st sink.State, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != st {
		s.state, s.since = st, time.Now()
	}
	if err != nil {
		s.note(err)
	}
}

// refuse drops what is queued; further frames are counted as dropped.
func (s *Sink) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepts = false
	for c := s.queue.Take(); c != nil; c = s.queue.Take() {
		s.loseQueued(c.Data)
		s.detachAll(c.Data)
	}
	s.queue.Clear()
}

// detachAll ends the streams whose end is in bytes of the queue; s.mu is held.
func (s *Sink) detachAll(c []byte) {
	for b := range savefile.Blocks(c) {
		if b.Type() == recordDetach {
			s.release(b.Interface())
		}
	}
}

// release gives back the number of a stream that has ended; s.mu is held.
func (s *Sink) release(id uint32) {
	s.streams[id].group.streams--
	s.streams[id] = nil
	s.unused = append(s.unused, id)
}

// drop counts frames of a feed that waited; s.mu is held.
func (s *Sink) drop(f *feed, t tally) {
	f.counters.Waiting -= t.frames
	f.counters.Dropped += t.frames
	s.lost.add(t)
}

// loseQueued counts the frames in bytes of the queue, where each has the number of its stream; s.mu is held.
func (s *Sink) loseQueued(b []byte) {
	for b := range savefile.Blocks(b) {
		if st := s.streams[b.Interface()]; b.IsPacket() {
			s.drop(st.feed, tally{1, uint64(b.Caplen())})
		}
	}
}
