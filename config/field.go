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

// fieldValue reads the value that begins at i and returns where it ends. Quotation marks can stand around the whole of it, or
// around a part between two /.
func fieldValue(text string, i int) (string, int, error) {
	var value strings.Builder
	for start := i; i < len(text) && !isSeparator(text[i]); {
		if text[i] != '"' || i > start && text[i-1] != '/' && text[i-1] != '!' {
			value.WriteByte(text[i])
			i++
			continue
		}
		end := strings.IndexByte(text[i+1:], '"')
		if end < 0 {
			return "", 0, fmt.Errorf("%s: no quotation mark at the end", excerpt(text[i:]))
		}
		value.WriteString(text[i+1 : i+1+end])
		if i += end + 2; i < len(text) && text[i] != '/' {
			break
		}
	}
	return value.String(), i, nil
}

func skipBlanks(text string, i int) int {
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	return i
}
