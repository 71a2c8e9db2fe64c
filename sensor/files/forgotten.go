package files

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"rpcapd/config"
	"rpcapd/numbers"
)

const (
	// forgottenEntries and forgottenTime bound the search below a directory.
	forgottenEntries = 200_000
	forgottenTime    = 2 * time.Second
)

// Warning is about a [file] section.
type Warning struct{ Section, Text string }

// Forgotten finds the files in the directories of sections that no section deletes or completes: those in the list of one
// that is gone or has another name now, and those that look like a section's own and are in no list.
func Forgotten(sections []config.File) (all []Warning) {
	seen := make(map[string]bool)
	for _, c := range sections {
		dir, rest := config.SplitFilePath(c.Path)
		// Files before lists: what a running sensor completes in between is in its list by then.
		var found []string
		if c.Keep > 0 || c.KeepBytes > 0 {
			found = lookalikes(dir, rest)
		}
		lists := listsIn(dir, sections)
		known := make(map[string]bool)
		for _, l := range lists {
			for name := range l.known {
				known[name] = true
			}
			for name := range l.open { // it has its name before the list says so
				known[name] = true
			}
			if path := filepath.Join(dir, l.name); !l.current && !seen[path] && len(l.known)+len(l.open) > 0 {
				seen[path] = true
				all = append(all, Warning{c.Title(), fmt.Sprintf("%s is the list of an output that is not in this file: the sensor does not delete its %s (%s) or complete its %s. "+
					"If [%s] was renamed: stop the sensor and rename that list to %s; else delete list and files",
					path, numbers.Things(len(l.known), "file"), numbers.Bytes(l.bytes), numbers.Things(len(l.open), ".part file"), c.Title(), ledgerName(c.Title()))})
			}
		}
		if n, bytes := unlisted(dir, found, known); n > 0 {
			all = append(all, Warning{c.Title(), fmt.Sprintf("%s (%s) in %s look like files of this section and are in no list, made without Keep and KeepBytes or by something else: "+
				"they are never deleted, and KeepBytes does not count them", numbers.Things(n, "file"), numbers.Bytes(bytes), dir)})
		}
	}
	return all
}

// foundList is a list in a directory.
type foundList struct {
	*ledger
	current bool // of a section
}

// listsIn reads the lists in a directory, but for those that another process uses.
func listsIn(dir string, sections []config.File) (all []foundList) {
	mine := make(map[string]bool)
	for _, c := range sections {
		if d, _ := config.SplitFilePath(c.Path); filepath.Clean(d) == filepath.Clean(dir) {
			mine[ledgerName(c.Title())] = true
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // said elsewhere, or it is made later
	}
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || !strings.HasPrefix(name, ".rpcap-sensor.") || !strings.HasSuffix(name, ".list") {
			continue
		}
		if l := readList(filepath.Join(dir, name), !mine[name]); l != nil {
			all = append(all, foundList{l, mine[name]})
		}
	}
	return all
}

// readList reads a list without changing it; nil if that is not possible, or if alone and another process uses it.
func readList(path string, alone bool) *ledger {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close() // read only
	if alone && lockList(f) != nil {
		return nil
	}
	l := newLedger(nil, filepath.Base(path), func(string) string { return "" })
	if l.read(f) != nil {
		return nil
	}
	return l
}

// lookalikes are the files below a directory whose names a section could have made.
func lookalikes(dir, rest string) (names []string) {
	pattern := namePattern(rest)
	entries, until := 0, time.Now().Add(forgottenTime)
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if entries++; entries > forgottenEntries || time.Now().After(until) {
			return fs.SkipAll
		}
		name, relErr := filepath.Rel(dir, path)
		if err == nil && relErr == nil && d.Type().IsRegular() && pattern.MatchString(filepath.ToSlash(name)) {
			names = append(names, name)
		}
		return nil // of what cannot be read nothing can be said
	})
	return names
}

// unlisted counts the files that are in no list and still there: retention deletes a file before it strikes it off its list.
func unlisted(dir string, names []string, known map[string]bool) (n int, bytes int64) {
	for _, name := range names {
		if known[name] {
			continue
		}
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			n++
			bytes += info.Size()
		}
	}
	return n, bytes
}

// namePattern matches the names that a Path makes, with their numbers and the ending of a compression.
func namePattern(rest string) *regexp.Regexp {
	stem, endings := splitEndings(rest)
	var b strings.Builder
	b.WriteString("^")
	config.ExpandFilePath(filepath.ToSlash(stem), func(s string) { b.WriteString(regexp.QuoteMeta(s)) }, func(letter byte) {
		switch digits := map[byte]int{'Y': 4, 'j': 3, 'y': 2, 'm': 2, 'd': 2, 'H': 2, 'M': 2, 'S': 2}[letter]; {
		case letter == 'F':
			b.WriteString(`\d{4}-\d\d-\d\d`)
		case letter == 's':
			b.WriteString(`\d+`)
		case letter == '%':
			b.WriteString("%")
		default:
			fmt.Fprintf(&b, `\d{%d}`, digits)
		}
	}, func(string) { b.WriteString(`[^/]+`) })
	b.WriteString(`(-\d+)?` + regexp.QuoteMeta(endings) + `(\.gz|\.zst)?$`)
	return regexp.MustCompile(b.String())
}
