package health

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName = 128 // runes of a name that an agent gives
	maxText = 512 // runes of a reason
)

// clean makes text of an agent fit to be shown: valid UTF-8 of at most so many runes, without control characters
// (terminals obey them) and without those that turn the direction of writing.
func clean(s string, most int) string {
	if len(s) <= most && plain(s) {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain reports whether there is nothing but printable ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
