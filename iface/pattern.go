package iface

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Patterns are names of interfaces and patterns of such names, as the configuration writes them:
//
//	eth0      this name, as Interface.Named has it
//	eth*      any characters; ? is one character, [0-4] and [!0-4] are one of a set and one of all others
//	!lo       not this one, whatever else matches
//
// Alternative names count like the first one. Patterns that only exclude mean all others. A backslash stands for itself: the
// devices of Windows have some. A * is written [*].
type Patterns []string

// IsPattern tells whether a text means more than one name.
func IsPattern(text string) bool {
	return strings.ContainsAny(text, `*?[/`) || strings.HasPrefix(text, "!")
}

// errBadPattern is what CheckPattern says.
var errBadPattern = errors.New("the pattern has no end; [ needs a ], and a * is written [*]")

// CheckPattern returns an error if a text can be no pattern.
func CheckPattern(text string) error {
	if _, err := path.Match(shellPattern(text), ""); err != nil {
		return errBadPattern
	}
	return nil
}

// Matches tells whether the patterns mean an interface.
func (p Patterns) Matches(i *Interface) bool {
	wanted, some := false, false
	for _, text := range p {
		excluded, isExclusion := strings.CutPrefix(text, "!")
		switch {
		case isExclusion && i.like(excluded):
			return false
		case !isExclusion:
			some = true
			wanted = wanted || i.like(text)
		}
	}
	return wanted || !some && len(p) > 0
}

// like tells whether one of the interface's names is the text or matches it.
func (i *Interface) like(text string) bool {
	if i.Named(text) {
		return true
	}
	if !strings.ContainsAny(text, "*?[") {
		return false
	}
	fold := strings.HasPrefix(i.Name, npfPrefix)
	return MatchName(text, i.Name, fold) || slices.ContainsFunc(i.AltNames, func(name string) bool { return MatchName(text, name, fold) })
}

// MatchName tells whether a name matches one pattern; fold, whether letters of any case are the same.
func MatchName(pattern, name string, fold bool) bool {
	if fold {
		pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	}
	ok, err := path.Match(shellPattern(pattern), strings.ReplaceAll(name, "/", "_")) // an alternative name may have a /
	return err == nil && ok
}

// shellPattern writes a pattern for path.Match, which knows backslashes as escapes, and [^ as the beginning of all others.
func shellPattern(text string) string {
	if !strings.ContainsAny(text, `[\`) {
		return text
	}
	var b strings.Builder
	within := false
	for n := 0; n < len(text); n++ {
		c := text[n]
		switch {
		case c == '\\':
			b.WriteByte('\\')
		case c == '[' && !within:
			within = true
			if n+1 < len(text) && text[n+1] == '!' {
				b.WriteByte('[')
				c = '^'
				n++
			}
		case c == ']':
			within = false
		}
		b.WriteByte(c)
	}
	return b.String()
}
