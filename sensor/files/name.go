package files

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rpcapd/config"
	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

const (
	// partSuffix is behind the name of a file that is not complete.
	partSuffix = ".part"
	// maxNamePart is the number of bytes of an agent's name that get into a file's: three of them and the rest of the
	// pattern have to fit into the 255 bytes that file systems allow.
	maxNamePart = 56
)

// expand puts time and names into a pattern. Names come from agents: see clean.
func expand(pattern string, at time.Time, src sink.Source) string {
	var b strings.Builder
	config.ExpandFilePath(pattern, func(s string) { b.WriteString(s) }, func(letter byte) {
		b.WriteString(clock(at, letter))
	}, func(name string) {
		b.WriteString(nameOf(name, src))
	})
	return filepath.FromSlash(b.String())
}

// clock is what strftime(3) makes of a letter.
func clock(t time.Time, letter byte) string {
	switch letter {
	case 'Y':
		return t.Format("2006")
	case 'y':
		return t.Format("06")
	case 'm':
		return t.Format("01")
	case 'd':
		return t.Format("02")
	case 'H':
		return t.Format("15")
	case 'M':
		return t.Format("04")
	case 'S':
		return t.Format("05")
	case 'j':
		return t.Format("002")
	case 'F':
		return t.Format("2006-01-02")
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	}
	return "%"
}

// nameOf is the cleaned value of a word in braces.
func nameOf(word string, src sink.Source) string {
	switch word {
	case "host":
		return clean(src.Host)
	case "agent":
		return clean(src.Agent.String())
	case "interface":
		return clean(src.Interface)
	case "rule":
		return clean(src.Rule)
	}
	return strconv.FormatUint(uint64(savefile.FromDLT(src.LinkType)), 10)
}

// clean makes a part of a file's name out of what an agent says: letters, digits and . _ # @ + = - stay, the colons of
// IPv6 addresses become -, the rest becomes _, and so does a . or - at the start. So it is never empty, hidden, taken as
// an option, or a way to another directory.
func clean(s string) string {
	if len(s) > maxNamePart {
		s = s[:maxNamePart]
	}
	s = strings.Map(func(c rune) rune {
		switch {
		case c == unicode.ReplacementChar: // no UTF-8, or cut within a character
			return '_'
		case unicode.IsLetter(c), unicode.IsDigit(c), strings.ContainsRune("._#@+=-", c):
			return c
		case c == ':':
			return '-'
		}
		return '_'
	}, s)
	if s == "" || s[0] == '.' || s[0] == '-' {
		s = "_" + s[min(len(s), 1):]
	}
	if reserved(s) {
		s = "_" + s
	}
	return s
}

// reserved reports whether Windows takes a name as a device, whatever stands behind its first dot.
func reserved(s string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(s), ".")
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (base[:3] == "COM" || base[:3] == "LPT") && base[3] >= '0' && base[3] <= '9'
}

// numbered puts -2, -3 and so on in front of the endings of a file's name.
func numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	stem, endings := splitEndings(name)
	return fmt.Sprintf("%s-%d%s", stem, n, endings)
}

// splitEndings takes the endings of capture files off a path; of its last part something stays.
func splitEndings(path string) (stem, endings string) {
	dir, stem := filepath.Split(path)
	for _, e := range []string{".gz", ".zst", ".pcapng", ".pcap", ".cap"} {
		if rest, found := strings.CutSuffix(stem, e); found && rest != "" {
			stem, endings = rest, e+endings
		}
	}
	return dir + stem, endings
}

// boundary is when the next period of d by the local clock begins after t: a day is from midnight to midnight, also one of 23
// or 25 hours. Files of at most an hour begin anew also where the clock shows an hour for the second time.
func boundary(t time.Time, d time.Duration) time.Time {
	next := wallClock(t).Truncate(d).Add(d)
	for at := t.Round(0); ; {
		begins := at.Add(next.Sub(wallClock(at)))
		_, changes := at.ZoneBounds() // when the offset from UTC is another one
		switch {
		case changes.IsZero(), begins.Before(changes), begins.Equal(changes) && d <= time.Hour:
			return t.Add(begins.Sub(t.Round(0))) // with the monotonic clock, if t has one
		case !wallClock(changes).Before(next): // the clock leaps over it
			return t.Add(changes.Sub(t.Round(0)))
		}
		at = changes
	}
}

// wallClock is what the clock on the wall shows, as a time that can be calculated with.
func wallClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.Round(0).UTC().Add(time.Duration(offset) * time.Second)
}
