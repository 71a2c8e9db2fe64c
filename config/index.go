package config

import (
	"strings"
	"unicode/utf8"
)

// Both are in the text of a problem.
const (
	unknownSection = "unknown section"
	sectionAgain   = "give this one a name"
)

func newIndex(text string, g *grammar, r *report) *index {
	x := &indexer{report: r, grammar: g, index: index{lines: make(map[place][]int)}}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		x.line(number, line)
	}
	return &x.index
}

func (x *indexer) line(n int, line string) {
	text := strings.TrimSpace(line)
	x.invisible(n, line)
	switch {
	case text == "" || text[0] == '#' || text[0] == ';':
	case !printable(text):
		x.errorf(n, "%s: characters that are not printable UTF-8 text; type the line again and save the file as UTF-8", excerpt(text))
	case text[0] == '[':
		x.header(n, text)
	case x.skip:
	default:
		x.setting(n, text)
	}
}

func (x *indexer) setting(n int, text string) {
	known := x.grammar.keysOf(x.current)
	name, value, found := strings.Cut(text, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !found {
		x.noDelimiter(n, text, known)
		return
	}
	if key := canonicalOf(name, x.grammar.inert); key != "" {
		x.warnf(n, "%s %s", key, x.grammar.inert[key])
		return
	}
	key := canonical(name, known)
	if key == "" {
		x.unknown(n, name, known)
		return
	}
	if empty(key, stripComment(value)) {
		report := x.errorf
		if stripComment(value) != "" && (!x.grammar.flat || key == "User") {
			report = x.doubtf // in quotes it was a text of earlier versions
		}
		report(n, "%s: empty value; complete the line or remove it", key)
		return
	}
	at := place{section: x.current, key: key}
	x.index.lines[at] = append(x.index.lines[at], n)
	x.index.clean.WriteString(key + "=" + forLibrary(value) + "\n")
}

// noDelimiter deals with a line without any =.
func (x *indexer) noDelimiter(n int, text string, known []string) {
	word := text
	if i := strings.IndexFunc(text, func(c rune) bool { return c < 0x80 && isSeparator(byte(c)) || c == ':' }); i >= 0 {
		word = text[:i]
	}
	if key := canonical(word, known); key != "" {
		x.errorf(n, "%s: no = after it; write %s = VALUE", key, key)
		return
	}
	x.doubtf(n, "%s is not understood; a setting is written NAME = VALUE, a comment begins with #", excerpt(text))
}

func (x *indexer) unknown(n int, name string, known []string) {
	if strings.ContainsFunc(name, hidden) {
		return // it has been said what is wrong with it
	}
	if x.full(isDoubtful) { // spares the search for near words, which costs most in a wrong file
		x.doubtf(n, "unknown key")
		return
	}
	if home := x.grammar.home(name); home != "" {
		x.doubtf(n, "key %s has no meaning here; it belongs %s", excerpt(name), home)
		return
	}
	x.doubtf(n, "%s: unknown key (%s)", word(name), suggest(name, known))
}

// empty tells whether a value says nothing: "no filter", "no network" must not be what is left of a variable that was
// not set. A password may be made of blanks.
func empty(key, value string) bool {
	value = unquote(value)
	return value == "" || key != "Password" && strings.Trim(value, " \t") == ""
}

// header begins a section.
func (x *indexer) header(n int, text string) {
	if x.grammar.flat {
		x.doubtf(n, "section %s: this file has no sections; remove the line, or make it a comment", excerpt(text))
		return
	}
	x.skip = true
	kind, name, ok := headerOf(text)
	if !ok {
		x.errorf(n, "section %s: no ] at the end", excerpt(text))
		return
	}
	if _, rest, _ := strings.Cut(text, "]"); stripComment(" "+rest) != "" {
		x.errorf(n, "section %s: nothing may follow the ]", excerpt(text))
		return
	}
	s := x.grammar.section(kind)
	switch {
	case s == nil:
		x.doubtf(n, "[%s]: "+unknownSection+" (%s)", strings.Trim(excerpt(kind), `"`), suggest(kind, x.kinds()))
		return
	case s.later != "":
		x.warnf(n, "section [%s] is ignored: %s", s.kind, s.later)
		return
	case s.named && name == "":
		x.errorf(n, "section [%s]: no name; write [%s NAME]", s.kind, s.kind)
		return
	case !s.named && !s.many && name != "":
		x.errorf(n, "section [%s %s]: write [%s]", s.kind, name, s.kind)
		return
	case len(x.index.sections) == maxSections:
		x.errorf(n, "more than %d sections", maxSections)
		return
	}
	x.current, x.skip = strings.TrimSpace(s.kind+" "+name), false
	if x.again(s, name, n) {
		x.skip = true
		return
	}
	x.index.sections = append(x.index.sections, header{section: x.current, line: n})
	x.index.clean.WriteString("[" + x.current + "]\n")
}

// headerOf splits "[kind name]"; ok is false if there is no ].
func headerOf(text string) (kind, name string, ok bool) {
	text, _, ok = strings.Cut(text, "]")
	kind, name, _ = strings.Cut(strings.Join(strings.Fields(text[1:]), " "), " ")
	return kind, unquote(name), ok
}

// again reports a section that stands in the file already. It is true if the second one cannot be used.
func (x *indexer) again(s *section, name string, n int) bool {
	for _, h := range x.index.sections {
		switch {
		case h.section != x.current:
		case s.named || s.many && name != "":
			x.errorf(n, "section [%s] is already on line %d; give it another name", x.current, h.line)
			return true
		case s.many:
			x.doubtf(n, "section [%s] is already on line %d; "+sectionAgain+", as in [%s 2]", x.current, h.line, x.current)
			return true
		default:
			x.warnf(n, "section [%s] is already on line %d; their keys are taken together", x.current, h.line)
			return false
		}
	}
	return false
}

func (x *indexer) kinds() []string {
	var words []string
	for _, s := range x.grammar.sections {
		words = append(words, s.kind)
	}
	return words
}

// forLibrary protects a value whose beginning the library would take for that of a
// value over several lines; it takes the protection off again.
func forLibrary(value string) string {
	if value[0] == '`' || strings.HasPrefix(value, `"""`) {
		return "`" + value + "`"
	}
	return value
}

func canonicalOf[V any](word string, known map[string]V) string {
	for k := range known {
		if strings.EqualFold(k, word) {
			return k
		}
	}
	return ""
}

// printable tells whether a line is UTF-8 without control characters but tabs.
func printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	return strings.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) < 0
}
