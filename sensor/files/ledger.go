package files

import (
	"bufio"
	"bytes"
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
	// maxLedger bounds what is read of a list at the start.
	maxLedger = 64 << 20
	// maxRemembered bounds the complete files that are remembered for retention; the oldest are forgotten, not deleted.
	maxRemembered = 200_000
)

var errLocked = errors.New("another process writes there under the same name")

// ledger is the list of the files that a sink has made, kept in their directory so that the next run knows them, too:
// retention and recovery touch nothing that is not in it. Each line is one event, the names are quoted as in Go:
//
//	open "SERIES" "NAME"        NAME.part was made
//	done SIZE "SERIES" "NAME"   it is complete and has its name
//	gone "NAME"                 it was deleted, or is not remembered
//
// A line that cannot be read is passed over. Without retention complete files are not remembered.
type ledger struct {
	root   *os.Root
	name   string
	retain bool

	mu    sync.Mutex // guards what follows
	file  *os.File   // lines are appended to it
	torn  bool       // the last line may lack its end
	open  map[string]string
	done  []finished // the oldest first
	bytes int64      // of done
}

// finished is a complete file.
type finished struct {
	name, series string
	size         int64
}

// openLedger reads the list, writes it anew without what is over, and locks it.
func openLedger(root *os.Root, sink string, retain bool) (*ledger, error) {
	l := &ledger{root: root, name: ledgerName(sink), retain: retain, open: make(map[string]string)}
	old, err := root.OpenFile(l.name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	defer old.Close() // read only
	if err := lock(old); err != nil {
		return nil, err
	}
	if err := l.read(io.LimitReader(old, maxLedger)); err != nil {
		return nil, err
	}
	return l, l.rewrite()
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
	done := make(map[string]finished)
	var order []string
	scan := bufio.NewScanner(r)
	for scan.Scan() {
		switch e, ok := parseEvent(scan.Text()); {
		case !ok:
		case e.kind == "open":
			l.open[e.name] = e.series
		case e.kind == "done":
			delete(l.open, e.name)
			if _, again := done[e.name]; !again {
				order = append(order, e.name)
			}
			done[e.name] = finished{e.name, e.series, e.size}
		case e.kind == "gone":
			delete(l.open, e.name)
			delete(done, e.name)
		}
	}
	if err := scan.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return err
	}
	for _, name := range order {
		if f, ok := done[name]; ok && l.retain {
			delete(done, name)
			l.remember(f)
		}
	}
	return nil
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

// rewrite writes the list anew and goes on in it.
func (l *ledger) rewrite() error {
	var b bytes.Buffer
	for name, series := range l.open {
		fmt.Fprintf(&b, "open %q %q\n", series, name)
	}
	for _, f := range l.done {
		fmt.Fprintf(&b, "done %d %q %q\n", f.size, f.series, f.name)
	}
	fresh := l.name + ".new"
	f, err := l.root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, lock(f)); err == nil {
		err = l.root.Rename(fresh, l.name)
	}
	if err != nil {
		return errors.Join(err, f.Close(), l.root.Remove(fresh))
	}
	l.file = f
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
	return err
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
	if i := slices.IndexFunc(l.done, func(f finished) bool { return f.name == name }); i >= 0 {
		l.bytes -= l.done[i].size
		l.done = slices.Delete(l.done, i, i+1)
	}
	_ = l.line("gone %q", name)
}

// complete notes that the file begun as begun is complete under a name. If that cannot be written, the next start finds
// it out by the name.
func (l *ledger) complete(begun string, f finished) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, begun)
	if !l.retain {
		_ = l.line("gone %q", begun)
		return
	}
	if begun != f.name {
		_ = l.line("gone %q", begun)
	}
	_ = l.line("done %d %q %q", f.size, f.series, f.name)
	l.remember(f)
}

// remember adds a complete file; l.mu is held, or nobody else knows l yet.
func (l *ledger) remember(f finished) {
	l.done = append(l.done, f)
	l.bytes += f.size
	if len(l.done) > maxRemembered {
		l.bytes -= l.done[0].size
		l.done = l.done[1:]
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

// excess lists what retention deletes: of each series all but the newest keep, and the oldest while all files, with
// inUse bytes in those that are not complete, are more than keepBytes.
func (l *ledger) excess(keep int, keepBytes, inUse int64) (list []finished) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := make(map[string]int)
	total := l.bytes + inUse
	if keep > 0 {
		for _, f := range l.done {
			count[f.series]++
		}
	}
	for _, f := range l.done {
		tooMany := keep > 0 && count[f.series] > keep
		if !tooMany && (keepBytes == 0 || total <= keepBytes) {
			continue
		}
		count[f.series]--
		total -= f.size
		list = append(list, f)
	}
	return list
}

// sums are the complete files that are remembered.
func (l *ledger) sums() (files int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done), l.bytes
}

// isGone reports whether an error says that there is no such file.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// close ends the list. An empty one is removed.
func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if len(l.open) == 0 && len(l.done) == 0 {
		if err = l.root.Remove(l.name); isGone(err) {
			err = nil
		}
	}
	return errors.Join(err, l.file.Close())
}
