package config

import (
	"fmt"
	"strings"
)

// field is one word of an ActiveClient line: "2003", or "ifname=eth1".
type field struct {
	word     string // before the =
	assigned bool   // there is a =
	value    string // behind it
}

// splitFields splits the value of an ActiveClient line. Blanks around a = belong to
// it, a value in quotation marks may have separators within, and a # ends the line,
// also when it is glued to a word (as libpcap's agent has it) but not within a value.
func splitFields(text string) ([]field, error) {
	var list []field
	for i := 0; ; {
		for i < len(text) && isSeparator(text[i]) {
			i++
		}
		if i == len(text) || text[i] == '#' {
			return list, nil
		}
		start := i
		for i < len(text) && !isSeparator(text[i]) && text[i] != '=' && text[i] != '#' {
			i++
		}
		f := field{word: text[start:i]}
		if next := skipBlanks(text, i); next < len(text) && text[next] == '=' {
			f.assigned = true
			var err error
			if f.value, i, err = fieldValue(text, skipBlanks(text, next+1)); err != nil {
				return nil, fmt.Errorf("%s: %w", f.word, err)
			}
		}
		list = append(list, f)
	}
}

// fieldValue reads the value that begins at i and returns where it ends.
func fieldValue(text string, i int) (string, int, error) {
	if i < len(text) && text[i] == '"' {
		end := strings.IndexByte(text[i+1:], '"')
		if end < 0 {
			return "", 0, fmt.Errorf("%s: no quotation mark at the end", excerpt(text[i:]))
		}
		return text[i+1 : i+1+end], i + end + 2, nil
	}
	start := i
	for i < len(text) && !isSeparator(text[i]) {
		i++
	}
	return text[start:i], i, nil
}

func skipBlanks(text string, i int) int {
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	return i
}
