package config

import (
	"errors"
	"strconv"
	"strings"
)

// isSeparator tells the characters between words of a value.
func isSeparator(c byte) bool { return c == ' ' || c == '\t' || c == ',' || c == ';' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// splitWords splits a value at runs of separators.
func splitWords(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return c < 0x80 && isSeparator(byte(c)) })
}

// stripComment takes away what follows a # that stands after a blank, outside of
// quotation marks, and then blanks at both ends.
func stripComment(value string) string {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted && (i == 0 || isBlank(value[i-1])):
			value = value[:i]
		}
	}
	return strings.Trim(value, " \t")
}

// unquote takes away quotation marks around a whole value.
func unquote(value string) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && strings.Count(value, `"`) == 2 {
		return value[1 : n-1]
	}
	return value
}

// quoteWord puts quotation marks around a word that would not be read as one.
func quoteWord(word string) string {
	if strings.ContainsAny(word, " \t,;#") {
		return `"` + word + `"`
	}
	return word
}

// quoteWords writes a list.
func quoteWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quoteWord(w)
	}
	return strings.Join(quoted, ", ")
}

var errNotANumber = errors.New("not a whole number")

// parseInt reads a whole decimal number with an optional sign. Numbers beyond 64
// bits saturate: every user of it has a limit far below.
func parseInt(word string) (int64, error) {
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errNotANumber
	}
	return n, nil
}
