package tap

import (
	"sync"
	"time"

	"rpcapd/repeat"
	"rpcapd/savefile"
	"rpcapd/sensor/chunks"
	"rpcapd/sensor/sink"
)

// refusedQuiet is how long the kernel must take all frames before one that it does not take is news for the log again.
const refusedQuiet = time.Minute

// Sink is a sink.Sink that writes to a TAP interface.
type Sink struct {
	opts Options
	open func(*Options) (device, error) // replaced by tests

	mu        sync.Mutex // a leaf; guards what follows
	ready     device     // opened by Open, until Run takes it
	accepts   bool       // false after a failure
	queue     *chunks.Queue[queued]
	state     sink.State
	since     time.Time
	err       string
	errAt     time.Time
	refused   uint64 // frames the kernel did not take, and those that were queued when the interface went
	unfit     uint64 // frames that cannot be an Ethernet frame
	mtuNow    int
	unguarded error // why the guard is off

	// Of the goroutine that writes.
	refusing bool          // the last frame was not taken
	told     repeat.Memory // of frames that were not taken
	mtuLate  bool          // raising the MTU has failed and was logged
}

// New checks the options and opens nothing.
func New(o Options) (*Sink, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Sink{
		opts: o, open: openDevice, queue: chunks.New[queued](bounds), accepts: true, state: sink.Running, since: time.Now(),
		told: repeat.Memory{Quiet: refusedQuiet},
	}, nil
}

// Name implements sink.Sink.
func (s *Sink) Name() string { return "tap " + s.opts.Interface }

// Open makes or opens the interface, so that a mistake is found before Run.
func (s *Sink) Open() error {
	d, err := s.open(&s.opts)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = d
	s.opened(d)
	return nil
}

// opened notes what is known of an open interface; s.mu is held.
func (s *Sink) opened(d device) {
	s.accepts, s.mtuNow, s.unguarded = true, d.mtu(), d.guarded()
	s.setState(sink.Running, nil)
}

// Close closes what Open opened if Run never took it.
func (s *Sink) Close() error {
	s.mu.Lock()
	d := s.ready
	s.ready = nil
	s.mu.Unlock()
	if d == nil {
		return nil
	}
	return d.close()
}

// setState notes a state and the error behind it; s.mu is held. It reports whether the state is another than before.
func (s *Sink) setState(st sink.State, err error) (changed bool) {
	now := time.Now()
	if changed = s.state != st; changed {
		s.state, s.since = st, now
	}
	if err != nil {
		s.err, s.errAt = err.Error(), now
	}
	return changed
}

// Attach implements sink.Sink.
func (s *Sink) Attach(src sink.Source) sink.Feed {
	lt := savefile.FromDLT(src.LinkType)
	return &feed{sink: s, linkType: lt, possible: possible(lt)}
}

// queued is a frame that waits in a chunk: data from the end of the one before to its own end.
type queued struct {
	end  uint32
	feed *feed
}

// feed is one stream.
type feed struct {
	sink     *Sink
	linkType uint32 // LINKTYPE number
	possible bool
	counters sink.Counters // guarded by sink.mu. Bytes are those of the frames as they are written
}

// bounds limit the frames that wait to 16 MiB. A chunk is full early, so that a frame of the largest size (262,144 bytes) and its
// header always fit into the next one.
var bounds = chunks.Bounds{Size: 512 << 10, Full: 224 << 10, Frames: 4096, Chunks: 32, Spare: 2}
