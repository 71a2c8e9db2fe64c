package files

import (
	"bufio"
	"bytes"
	"container/list"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	// maxLine bounds a line of a list; a longer one is passed over, as what a power cut may leave.
	maxLine = 64 << 10
	// maxRemembered bounds the complete files that are remembered for retention, unless Keep is more; the oldest are
	// forgotten, not deleted.
	maxRemembered = 200_000
	// spareLines is how many lines a list may have beyond twice what is in force before it is written anew.
	spareLines = 1024
)

var errLocked = errors.New("another process writes there under the same name")

// ledger is the list of the files that a sink has made, kept in their directory so that the next run knows them, too:
// retention and recovery touch nothing that is not in it. Each line is one event, the names are quoted as in Go:
//
//	open "SERIES" "NAME"        NAME.part was made
//	done SIZE "SERIES" "NAME"   it is complete and has its name
//	gone "NAME"                 it was deleted, or is not remembered
//
// A line that cannot be read is passed over. Without retention complete files are not added, and those that are in it stay.
// The list is replaced by a shorter one when more than half of it is over. No operation takes longer with more files.
type ledger struct {
	root   *os.Root
	name   string
	retain bool
	most   int                        // complete files that are remembered
	agent  func(series string) string // for whom files are counted

	mu        sync.Mutex // guards what follows
	file      listFile   // lines are appended to it
	torn      bool       // the last line may lack its end
	lines     int        // in file
	longest   int        // at this number it is written anew
	open      map[string]string
	done      list.List            // of *finished, the oldest first
	known     map[string]*finished // those by name
	agents    map[string]*list.List
	grown     map[string]bool // agents that may have too many
	bytes     int64           // of done
	forgotten uint64          // complete files that were too many to be remembered
}

// finished is a complete file.
type finished struct {
	name, series string
	size         int64
	all, mine    *list.Element // in ledger.done and in the list of its agent
}

// openLedger reads the list, writes it anew without what is over, and locks it.
func openLedger(root *os.Root, o *Options, agent func(string) string) (*ledger, error) {
	l := newLedger(root, ledgerName(o.Name), agent)
	l.retain, l.most = o.retains(), max(maxRemembered, o.Keep+1)
	if err := l.openList(); err != nil {
		return nil, err
	}
	err := l.read(l.file)
	if err == nil {
		err = l.rewrite()
	}
	if err != nil {
		return nil, errors.Join(err, l.closeList(false))
	}
	return l, nil
}

func newLedger(root *os.Root, name string, agent func(string) string) *ledger {
	return &ledger{
		root: root, name: name, most: maxRemembered, agent: agent,
		open: make(map[string]string), known: make(map[string]*finished),
		agents: make(map[string]*list.List), grown: make(map[string]bool),
	}
}

// ledgerName is different for different sinks.
func ledgerName(sink string) string {
	sink = strings.ReplaceAll(sink, " ", "-")
	name := clean(sink)
	if name != sink {
		h := fnv.New64a()
		h.Write([]byte(sink)) // never fails
		name += fmt.Sprintf("-%016x", h.Sum64())
	}
	return ".rpcap-sensor." + name + ".list"
}

// read takes events in.
func (l *ledger) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = lines.ReadSlice('\n')
		}
		if e, ok := parseEvent(strings.TrimSuffix(string(line), "\n")); ok && !long && err == nil {
			l.take(e)
		}
		switch {
		case errors.Is(err, io.EOF): // what has no end of line was cut
			return nil
		case err != nil:
			return err
		}
	}
}

// take puts an event in force.
func (l *ledger) take(e event) {
	switch e.kind {
	case "open":
		l.open[e.name] = e.series
	case "done":
		delete(l.open, e.name)
		l.remember(finished{name: e.name, series: e.series, size: e.size})
	case "gone":
		delete(l.open, e.name)
		l.drop(e.name)
	}
}

type event struct {
	kind, series, name string
	size               int64
}

// parseEvent reads one line. Names that lead out of the directory are refused.
func parseEvent(line string) (e event, ok bool) {
	var rest string
	if e.kind, rest, ok = strings.Cut(line, " "); !ok {
		return e, false
	}
	if e.kind == "done" {
		var size string
		size, rest, _ = strings.Cut(rest, " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 {
			return e, false
		}
		e.size = n
	}
	if e.kind != "gone" {
		if e.series, rest, ok = unquoteFirst(rest); !ok {
			return e, false
		}
	}
	e.name, rest, ok = unquoteFirst(rest)
	return e, ok && rest == "" && filepath.IsLocal(e.name)
}

func unquoteFirst(s string) (value, rest string, ok bool) {
	q, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	value, err = strconv.Unquote(q)
	return value, strings.TrimPrefix(s[len(q):], " "), err == nil
}

// rewrite replaces the list by one without what is over and goes on in that; l.mu is held, or nobody else knows l yet.
func (l *ledger) rewrite() error {
	var b bytes.Buffer
	for name, series := range l.open {
		fmt.Fprintf(&b, "open %q %q\n", series, name)
	}
	for e := l.done.Front(); e != nil; e = e.Next() {
		f := e.Value.(*finished)
		fmt.Fprintf(&b, "done %d %q %q\n", f.size, f.series, f.name)
	}
	fresh := l.name + ".new"
	f, err := l.root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Sync()); err == nil { // after a power cut the old one or the new one is there
		err = l.replaceList(f, fresh)
	}
	if err != nil {
		f.Close() // if it is not closed yet; the old list stays
		return errors.Join(err, l.root.Remove(fresh))
	}
	l.torn = false
	l.lines = len(l.open) + l.done.Len()
	l.longest = 2*l.lines + spareLines
	return nil
}

// line appends one event; l.mu is held.
func (l *ledger) line(format string, args ...any) error {
	b := fmt.Appendf(nil, format+"\n", args...)
	if l.torn {
		b = append([]byte("\n"), b...)
	}
	n, err := l.file.Write(b)
	l.torn = err != nil && (n > 0 || l.torn)
	l.lines++
	return err
}

// compact writes a list anew that is too long; l.mu is held. One that cannot be replaced stays in use.
func (l *ledger) compact() {
	if l.lines >= l.longest && l.rewrite() != nil {
		l.longest = l.lines + spareLines
	}
}

// begin notes a file that was made.
func (l *ledger) begin(name, series string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.line("open %q %q", series, name); err != nil {
		return err
	}
	l.open[name] = series
	return nil
}

// forget notes that a file is gone, or no longer this sink's. If that cannot be written, the next start finds it out.
func (l *ledger) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, name)
	l.drop(name)
	_ = l.line("gone %q", name)
	l.compact()
}

// complete notes that the file begun as begun is complete under a name. If that cannot be written, the next start finds
// it out by the name.
func (l *ledger) complete(begun string, f finished) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, begun)
	if !l.retain || begun != f.name {
		_ = l.line("gone %q", begun)
	}
	if l.retain {
		_ = l.line("done %d %q %q", f.size, f.series, f.name)
		l.remember(f)
	}
	l.compact()
}

// remember adds a complete file; l.mu is held, or nobody else knows l yet.
func (l *ledger) remember(f finished) {
	l.drop(f.name)
	agent := l.agent(f.series)
	mine := l.agents[agent]
	if mine == nil {
		mine = list.New()
		l.agents[agent] = mine
	}
	f.all, f.mine = l.done.PushBack(&f), mine.PushBack(&f)
	l.known[f.name] = &f
	l.grown[agent] = true
	l.bytes += f.size
	if l.done.Len() > l.most {
		l.drop(l.done.Front().Value.(*finished).name)
		l.forgotten++
	}
}

// drop takes a complete file out; l.mu is held, or nobody else knows l yet.
func (l *ledger) drop(name string) {
	f := l.known[name]
	if f == nil {
		return
	}
	delete(l.known, name)
	l.done.Remove(f.all)
	l.bytes -= f.size
	agent := l.agent(f.series)
	if mine := l.agents[agent]; mine != nil {
		if mine.Remove(f.mine); mine.Len() == 0 {
			delete(l.agents, agent)
			delete(l.grown, agent)
		}
	}
}

// interrupted lists the files that an earlier run has not completed.
func (l *ledger) interrupted() (list []finished) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, series := range l.open {
		list = append(list, finished{name: name, series: series})
	}
	slices.SortFunc(list, func(a, b finished) int { return strings.Compare(a.name, b.name) })
	return list
}

// excess lists what retention deletes: of each agent all but the newest keep, and the oldest while all files, with inUse
// bytes in those that are not complete, are more than keepBytes.
func (l *ledger) excess(keep int, keepBytes, inUse int64) (names []finished) {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := l.bytes + inUse
	chosen := make(map[*finished]bool)
	choose := func(f *finished) {
		chosen[f] = true
		total -= f.size
		names = append(names, *f)
	}
	for agent := range l.grown {
		mine := l.agents[agent]
		if keep == 0 || mine.Len() <= keep {
			delete(l.grown, agent)
			continue
		}
		e := mine.Front()
		for range mine.Len() - keep {
			choose(e.Value.(*finished))
			e = e.Next()
		}
	}
	for e := l.done.Front(); e != nil && keepBytes > 0 && total > keepBytes; e = e.Next() {
		if f := e.Value.(*finished); !chosen[f] {
			choose(f)
		}
	}
	return names
}

// sums are the complete files that are remembered, and the number of those that were too many for that.
func (l *ledger) sums() (files int, bytes int64, forgotten uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done.Len(), l.bytes, l.forgotten
}

// isGone reports whether an error says that there is no such file.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// close ends the list. An empty one is removed.
func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closeList(len(l.open) == 0 && l.done.Len() == 0)
}

// remove removes a file that may be gone already.
func (l *ledger) remove(name string) error {
	if err := l.root.Remove(name); !isGone(err) {
		return err
	}
	return nil
}
