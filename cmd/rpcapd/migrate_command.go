package main

import "strings"

// splitCommand splits the command line of a Windows service into program and arguments. The C agent's installer is not the
// only one that forgets the quotation marks around a path with blanks: a program then ends with .exe, a file with .ini.
func splitCommand(line string) (program string, args []string) {
	line = strings.TrimSpace(line)
	if rest, quoted := strings.CutPrefix(line, `"`); quoted {
		program, line, _ = strings.Cut(rest, `"`)
	} else if at := strings.Index(strings.ToLower(line), ".exe"); at >= 0 {
		program, line = line[:at+len(".exe")], line[at+len(".exe"):]
	} else {
		program, line, _ = strings.Cut(line, " ")
	}
	words := splitWords(line)
	for i := 0; i < len(words); i++ {
		args = append(args, words[i])
		if words[i] != "-f" || i+1 == len(words) {
			continue
		}
		file := words[i+1:]
		for n, word := range file {
			if strings.HasSuffix(strings.ToLower(word), ".ini") {
				args = append(args, strings.Join(file[:n+1], " "))
				i += n + 1
				break
			}
		}
	}
	return program, args
}

// splitWords splits at blanks outside of quotation marks. A path has no quotation mark in it.
func splitWords(line string) (words []string) {
	var word strings.Builder
	var quoted, any bool
	for _, c := range line {
		switch {
		case c == '"':
			quoted, any = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(c)
			any = true
		}
	}
	if any {
		words = append(words, word.String())
	}
	return words
}
