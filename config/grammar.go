package config

import (
	"slices"
	"strings"
)

// grammar is what a kind of file may hold.
type grammar struct {
	top      []string          // keys before any section
	inert    map[string]string // keys that are accepted, may be empty, and only warned about, with the warning
	sections []section
	flat     bool // sections have no meaning: a header is passed over with a warning
}

// section is one kind of section.
type section struct {
	kind  string   // "data", or "rule" of [rule NAME]
	named bool     // the header has a name after the kind
	many  bool     // the header may have a name, so that there can be several; not with named
	keys  []string // of a section that is read
	later string   // why a section that this version does not serve is passed over
}

// keysOf returns the keys of a section given as it is written in the index.
func (g *grammar) keysOf(name string) []string {
	if name == "" {
		return g.top
	}
	if s := g.section(name); s != nil {
		return s.keys
	}
	return nil
}

// section finds the kind of a header's text, nil if it is not known.
func (g *grammar) section(header string) *section {
	kind, _, _ := strings.Cut(header, " ")
	for i := range g.sections {
		if strings.EqualFold(g.sections[i].kind, kind) {
			return &g.sections[i]
		}
	}
	return nil
}

// home names the place where a key belongs, empty if it is known nowhere.
func (g *grammar) home(key string) string {
	if canonical(key, g.top) != "" {
		return "before the first section"
	}
	for _, s := range g.sections {
		if canonical(key, s.keys) == "" {
			continue
		}
		if s.named {
			return "in a section [" + s.kind + " NAME]"
		}
		return "in the section [" + s.kind + "]"
	}
	return ""
}

// canonical returns the known word that equals the given one but for case, empty
// if there is none.
func canonical(word string, known []string) string {
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, word) })
	if i < 0 {
		return ""
	}
	return known[i]
}
