package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// invisibleNames are the ones that editors, web pages and office programs leave behind.
var invisibleNames = map[rune]string{
	0x00a0: "no-break space",
	0x00ad: "soft hyphen",
	0x200b: "zero width space",
	0x200c: "zero width non-joiner",
	0x200d: "zero width joiner",
	0x200e: "left-to-right mark",
	0x200f: "right-to-left mark",
	0x202f: "narrow no-break space",
	0x2060: "word joiner",
	0x3000: "ideographic space",
	0xfeff: "byte-order mark",
}

// invisibleCharacter is in the text of the problem.
const invisibleCharacter = "the invisible character"

// invisible reports characters that nobody sees and that make another word of what they stand in: "eth1" followed by
// U+200B is no interface. Comments may have them.
func (x *indexer) invisible(n int, line string) {
	if x.skip && !strings.HasPrefix(strings.TrimSpace(line), "[") {
		return
	}
	text := strings.TrimLeft(line, " \t")
	if text == "" || text[0] == '#' || text[0] == ';' {
		return
	}
	indent := len(line) - len(text)
	column := func(at int) int { return indent + 1 + utf8.RuneCountInString(text[:at]) }
	from, to := passwordIn(text)
	for at, c := range stripComment(text) {
		switch {
		case !hidden(c):
		case at < from || at >= to:
			x.doubtf(n, "%s: "+invisibleCharacter+" %s in column %d; type the line again", shown(line), nameOf(c), column(at))
			return
		default:
			x.warnf(n, "Password: "+invisibleCharacter+" %s in column %d is a part of it; if it is none, type the line again", nameOf(c), column(at))
			from, to = 0, 0 // one is enough, and what is outside of the password is worse
		}
	}
}

// passwordIn is where in a line the inside of a password in quotation marks is: what stands there is meant as it is.
func passwordIn(text string) (from, to int) {
	name, value, found := strings.Cut(text, "=")
	value = stripComment(value)
	if !found || !strings.EqualFold(strings.TrimSpace(name), "Password") || unquote(value) == value {
		return 0, 0
	}
	from = len(name) + 1 + strings.Index(text[len(name)+1:], `"`) + 1
	return from, from + len(value) - 2
}

// shown is a line for a message. What is secret in it stays so: messages go into logs.
func shown(line string) string {
	name, _, found := strings.Cut(line, "=")
	if name = strings.Map(visible, strings.TrimSpace(name)); found && canonical(name, secretKeys) != "" {
		return name
	}
	return excerpt(strings.TrimSpace(line))
}

// secretKeys have values that no message repeats.
var secretKeys = []string{"Password", "Account"}

// hidden tells spaces other than ASCII's, and characters without any width.
func hidden(c rune) bool {
	return c >= 0x80 && c != unicode.ReplacementChar && (unicode.IsSpace(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector))
}

// visible is for strings.Map: a space in the place of one, and nothing in that of a character without width.
func visible(c rune) rune {
	switch {
	case !hidden(c):
		return c
	case unicode.IsSpace(c):
		return ' '
	}
	return -1
}

// hiddenName tells whether the key of a line has such a character in it, and so was none that is known.
func hiddenName(text string) bool {
	name, _, found := strings.Cut(text, "=")
	return found && text[0] != '[' && strings.ContainsFunc(strings.TrimSpace(name), hidden)
}

func nameOf(c rune) string {
	if name := invisibleNames[c]; name != "" {
		return fmt.Sprintf("U+%04X (%s)", c, name)
	}
	return fmt.Sprintf("U+%04X", c)
}
