package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

const (
	// filePathTimes are the letters of strftime(3) that a Path may have behind a %.
	filePathTimes = "YymdHMSjFs%"
	maxFilePath   = 1024
)

// filePathNames are the words that a Path may have in braces.
var filePathNames = []string{"host", "agent", "interface", "rule", "linktype"}

// CheckFilePath checks the pattern for the names of capture files: %Y and the like stand for the time at which a file
// begins, {host} and the like for the agent.
func CheckFilePath(pattern string) error {
	switch {
	case pattern == "" || len(pattern) > maxFilePath:
		return badValue(pattern, "write a path, as in /var/lib/rpcap-sensor/%Y%m%d-%H%M%S.pcapng")
	case pattern == "-":
		return badValue(pattern, "standard output is not for [file]; write File = - into [output]")
	case strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, string(filepath.Separator)):
		return badValue(pattern, "a directory; write the name of the files behind it, as in %Y%m%d-%H%M%S.pcapng")
	case strings.ContainsRune(pattern, 0):
		return badValue(pattern, "has a zero byte")
	}
	err := eachFilePathPart(pattern, func(string, byte, string) {})
	if err != nil {
		return err
	}
	_, rest := SplitFilePath(pattern)
	for part := range strings.SplitSeq(filepath.ToSlash(rest), "/") {
		if part == ".." {
			return badValue(pattern, ".. behind a % or a { leads to somewhere else; write the path without it")
		}
	}
	return nil
}

// SplitFilePath splits a pattern into the directory that is always the same, and what is below it.
func SplitFilePath(pattern string) (dir, rest string) {
	fixed := pattern
	if i := strings.IndexAny(pattern, "%{"); i >= 0 {
		fixed = pattern[:i]
	}
	cut := strings.LastIndexFunc(fixed, func(c rune) bool { return c == '/' || c == filepath.Separator })
	if cut < 0 {
		return ".", pattern
	}
	return pattern[:max(cut, 1)], pattern[cut+1:]
}

// ExpandFilePath calls text for what stays as it is, letter for each %Y and the like, and name for each {host} and the
// like, in order. The pattern must have been checked.
func ExpandFilePath(pattern string, text func(string), letter func(byte), name func(string)) {
	_ = eachFilePathPart(pattern, func(t string, l byte, n string) { // checked
		switch {
		case l != 0:
			letter(l)
		case n != "":
			name(n)
		default:
			text(t)
		}
	})
}

// eachFilePathPart takes a pattern apart.
func eachFilePathPart(pattern string, part func(text string, letter byte, name string)) error {
	rest := pattern
	for rest != "" {
		i := strings.IndexAny(rest, "%{")
		if i < 0 {
			part(rest, 0, "")
			return nil
		}
		if i > 0 {
			part(rest[:i], 0, "")
		}
		if rest[i] == '%' {
			if i+1 == len(rest) || strings.IndexByte(filePathTimes, rest[i+1]) < 0 {
				return badValue(pattern, "a % is followed by one of "+strings.Join(strings.Split(filePathTimes, ""), " ")+", as in %Y%m%d-%H%M%S")
			}
			part("", rest[i+1], "")
			rest = rest[i+2:]
			continue
		}
		end := strings.IndexByte(rest[i:], '}')
		name := ""
		if end > 0 {
			name = canonical(rest[i+1:i+end], filePathNames)
		}
		if name == "" {
			return badValue(pattern, fmt.Sprintf("a { is followed by one of %s and a }", strings.Join(filePathNames, ", ")))
		}
		part("", 0, name)
		rest = rest[i+end+1:]
	}
	return nil
}

// fileNameOf tells which names a pattern has.
func fileNameOf(pattern string) map[string]bool {
	names := make(map[string]bool)
	_ = eachFilePathPart(pattern, func(_ string, _ byte, name string) { names[name] = true }) // checked
	return names
}
