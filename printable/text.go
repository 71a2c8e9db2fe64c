package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits for what others send, in runes. An interface name on Linux has at most 15 bytes, on Windows about 50;
// descriptions are sentences.
const (
	MaxName = 128
	MaxText = 512
)

// Text returns s without what is not printable. The result is valid UTF-8 on one line and not longer than s in bytes.
func Text(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(Rune, s)
}

// Line is Text cut to at most n runes; "…" tells that something was cut off.
func Line(s string, n int) string {
	s = Text(head(s, n))
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	end := 0
	for i := range s {
		if n--; n < 0 {
			end = i
			break
		}
	}
	return s[:end] + "…"
}

// Name is Line with MaxName runes.
func Name(s string) string { return Line(s, MaxName) }

// Rune returns r if it is printable, else '?'. It has the form that strings.Map takes.
func Rune(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// head is as much of s as n runes and one more can take, so that a long text is not worked through for a short result.
func head(s string, n int) string {
	return s[:min(len(s), (max(n, 0)+1)*utf8.UTFMax)]
}

// plain reports whether s has nothing but printable ASCII, as nearly all texts.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
