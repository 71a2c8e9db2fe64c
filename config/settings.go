package config

import (
	"cmp"
	"slices"

	"gopkg.in/ini.v1"
)

// setting is one recognized line.
type setting struct {
	place
	line  int
	value string // without comment and blanks at its ends, never empty
}

// libraryOptions keep to what the two existing agents read: a line is a line, and
// what is to the right of the first = is the value.
var libraryOptions = ini.LoadOptions{
	AllowShadows:               true,
	AllowDuplicateShadowValues: true, // two equal lines are two sessions
	KeyValueDelimiters:         "=",  // names of interfaces and IPv6 addresses have colons
	IgnoreInlineComment:        true,
	IgnoreContinuation:         true, // a path of Windows may end with a backslash
	PreserveSurroundedQuote:    true,
	ChildSectionDelimiter:      "\n", // no section inherits: the name of a rule may have dots
}

// readSettings returns the recognized lines of a text in their order, and the
// sections that it has.
func readSettings(text string, g *grammar, r *report) ([]setting, []header) {
	x := newIndex(text, g, r)
	file, err := ini.LoadSources(libraryOptions, []byte(x.clean.String()))
	if err != nil {
		r.errorf(0, "read settings: %v", err)
		return nil, nil
	}
	var list []setting
	for at, lines := range x.lines {
		name := at.section
		if name == "" {
			name = ini.DefaultSection
		}
		values := file.Section(name).Key(at.key).ValueWithShadows()
		if len(values) != len(lines) {
			r.errorf(lines[0], "read %s: %d values on %d lines", at.key, len(values), len(lines))
			continue
		}
		for i, v := range values {
			list = append(list, setting{place: at, line: lines[i], value: stripComment(v)})
		}
	}
	slices.SortFunc(list, func(a, b setting) int { return cmp.Compare(a.line, b.line) })
	return list, x.sections
}
