package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/repeat"
	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// dirMode is the mode of new directories, less the umask.
const dirMode os.FileMode = 0o750

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

// Attach implements sink.Sink.
func (s *Sink) Attach(src sink.Source) sink.Feed {
	f := &feed{sink: s}
	st := &stream{feed: f, key: keyOf(src), block: src.InterfaceBlock()}
	if st.block.LinkType > savefile.MaxLinkType {
		return f // not to be expressed in a file: everything is counted out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Format == savefile.Pcap && !s.manyLinkTypes() {
		if s.linkType < 0 {
			s.linkType = int64(st.block.LinkType)
		}
		if s.linkType != int64(st.block.LinkType) {
			s.sayMixed(s.linkType, &st.block, "frames of a second link type are left out: a classic file has one; take Format = pcapng, or {linktype} in Path")
			return f
		}
	}
	if st.group = s.group(src); st.group == nil {
		f.crowded = true
		return f
	}
	st.group.streams++
	f.stream = st
	if k := len(s.unused); k > 0 {
		f.id, s.unused = s.unused[k-1], s.unused[:k-1]
		s.streams[f.id] = st
	} else {
		f.id = uint32(len(s.streams))
		s.streams = append(s.streams, st)
	}
	return f
}

// sayMixed tells once of a second link type; s.mu is held.
func (s *Sink) sayMixed(first int64, block *savefile.Interface, what string) {
	if s.mixed {
		return
	}
	s.mixed = true
	s.opts.Log.Warn(what, zap.String("output", s.opts.Name), zap.Int64("first_link_type", first),
		zap.Uint32("link_type", block.LinkType), zap.String("interface", block.Name))
}

// manyLinkTypes reports whether each link type has files of its own.
func (s *Sink) manyLinkTypes() bool {
	for _, w := range s.words {
		if w == "linktype" {
			return true
		}
	}
	return s.opts.PerAgent
}

// group finds or makes that of a source; nil: there are too many. s.mu is held.
func (s *Sink) group(src sink.Source) *group {
	var key, series strings.Builder
	for _, w := range s.words {
		value := map[string]string{"host": src.Host, "agent": src.Agent.String(), "interface": src.Interface, "rule": src.Rule}[w]
		if w != "linktype" {
			fmt.Fprintf(&key, "%q ", value)
			fmt.Fprintf(&series, "%s ", nameOf(w, src))
		}
	}
	if s.manyLinkTypes() && (s.opts.Format == savefile.Pcap || len(s.words) > 0 && s.hasWord("linktype")) {
		fmt.Fprintf(&key, "%d", savefile.FromDLT(src.LinkType))
		fmt.Fprintf(&series, "%d", savefile.FromDLT(src.LinkType))
	}
	if g := s.groups[key.String()]; g != nil {
		return g
	}
	if len(s.groups) >= maxGroups {
		s.note(fmt.Errorf("%s: more than %d files at the same time; frames of further agents are dropped; take a Path with fewer names", s.opts.Name, maxGroups))
		return nil
	}
	g := &group{key: key.String(), series: strings.TrimSpace(series.String()), source: src}
	s.groups[g.key] = g
	return g
}

func (s *Sink) hasWord(word string) bool {
	for _, w := range s.words {
		if w == word {
			return true
		}
	}
	return false
}

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

// place is the open directory.
type place struct {
	dir    string
	root   *os.Root
	info   os.FileInfo // what dir was when it was opened
	ledger *ledger
}

func (p *place) close() error { return errors.Join(p.ledger.close(), p.root.Close()) }

// openPlace makes and opens the directory and the list of files in it.
func (s *Sink) openPlace() (*place, error) {
	if err := os.MkdirAll(s.dir, dirMode); err != nil {
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
	case errors.Is(err, os.ErrPermission), errors.Is(err, errLocked), isNoDirectory(err):
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

const probeName = ".rpcap-sensor.probe"

// probe writes and removes a file, to see whether there is room again.
func probe(root *os.Root) error {
	f, err := root.OpenFile(probeName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Close(), root.Remove(probeName))
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
