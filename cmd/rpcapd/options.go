package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
)

// optionsKey begins the line of options: in what the unit and the init scripts read, and on Windows in a file beside the ini.
const optionsKey = "RPCAPD_OPTIONS="

// optionsFile has the options of the service of Windows. It is beside the ini and stays as the ini does: in an upgrade, a repair,
// and a removal, which know of neither.
func optionsFile(ini string) string { return strings.TrimSuffix(ini, filepath.Ext(ini)) + ".options" }

// readOptions reads the line of options of such a file. Without a file there are none.
func readOptions(path string) (options []string, err error) {
	text, err := readOptionsText(path)
	if err != nil {
		return nil, err
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		value, found := strings.CutPrefix(line, optionsKey)
		switch {
		case found:
			options = splitWords(unquoteOptions(value))
		case line != "" && line[0] != '#':
			return nil, fmt.Errorf("%s:%d: %q is not understood; write %s\"-z 64M\"", path, number, line, optionsKey)
		}
	}
	return options, nil
}

// readOptionsText reads the whole file, from any editor of Windows.
func readOptionsText(path string) (string, error) {
	f, err := openNow(path)
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := readIni(f)
	if err != nil {
		return "", err
	}
	text, err := config.Text(data)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// replaceOptions writes the file and tells what it sets.
func replaceOptions(path, old, edited, set string, kept bool, out func(string, ...any)) error {
	if edited == old {
		out("%s: nothing to change", path)
		return nil
	}
	if err := inifile.Replace(path, []byte(edited), agentGroup); err != nil {
		return fmt.Errorf("write options: %w", err)
	}
	out("%s: %s%s", path, optionsKey, quoteOptions(set))
	if kept {
		out("%s: its former options had other values; they are kept there as a comment", path)
	}
	return nil
}

// unquoteOptions takes the quotation marks around all options away. Others are around one word, which may have blanks.
func unquoteOptions(value string) string {
	value = strings.TrimSpace(value)
	for _, mark := range []string{"'", "\""} {
		inside, begins := strings.CutPrefix(value, mark)
		inside, ends := strings.CutSuffix(inside, mark)
		if begins && ends && !strings.Contains(inside, mark) {
			return inside
		}
	}
	return value
}

// quoteOptions is for shells, too.
func quoteOptions(set string) string {
	if strings.ContainsAny(set, "\"\\") && !strings.Contains(set, "'") {
		return "'" + set + "'"
	}
	return strconv.Quote(set)
}

// joinOptions puts words with blanks into quotation marks.
func joinOptions(words []string) (string, error) {
	list := slices.Clone(words)
	for i, word := range list {
		switch {
		case strings.ContainsAny(word, "\"'\r\n"):
			return "", fmt.Errorf("option %q: quotation marks and line breaks cannot be kept", word)
		case word == "" || strings.ContainsAny(word, " \t"):
			list[i] = `"` + word + `"`
		}
	}
	return strings.Join(list, " "), nil
}

// optionsLine finds the line that counts, the last one, and what it sets.
func optionsLine(lines []string) (at int, former string) {
	for at = len(lines) - 1; at >= 0; at-- {
		if value, found := strings.CutPrefix(lines[at], optionsKey); found {
			return at, value
		}
	}
	return -1, ""
}

// setOptions puts options in the place of all that are there. The line before stays as a comment if it had others.
func setOptions(text, set string) (edited string, kept bool) {
	lines := slices.Collect(strings.Lines(text))
	at, former := optionsLine(lines)
	line := optionsKey + quoteOptions(set) + "\n"
	switch {
	case at < 0:
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return text + line, false
	case unquoteOptions(former) == set:
		return text, false
	case unquoteOptions(former) != "":
		line, kept = "#"+strings.TrimRight(lines[at], "\r\n")+"\n"+line, true
	}
	lines[at] = line
	return strings.Join(lines, ""), kept
}

// editOptions changes the last line of options, the one that counts, or adds one.
func editOptions(text string, options []string) (edited, set string, kept bool) {
	lines := slices.Collect(strings.Lines(text))
	at, former := optionsLine(lines)
	if at < 0 {
		set = strings.Join(options, " ")
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return text + optionsKey + quoteOptions(set) + "\n", set, false
	}
	former = unquoteOptions(former)
	merged, kept := mergeOptions(strings.Fields(former), options)
	set = strings.Join(merged, " ")
	if set == former {
		return text, set, false
	}
	line := optionsKey + quoteOptions(set) + "\n"
	if kept {
		line = "#" + strings.TrimRight(lines[at], "\r\n") + "\n" + line
	}
	lines[at] = line
	return strings.Join(lines, ""), set, kept
}

// mergeOptions adds options to those that are there. One that is there with another value gives way, as told by replaced.
func mergeOptions(former, options []string) (merged []string, replaced bool) {
	merged = slices.Clone(former)
	for i := 0; i < len(options); i++ {
		name, value := options[i], ""
		if i+1 < len(options) && name != "-4" {
			i++
			value = options[i]
		}
		var same, gone bool
		for j := 0; j < len(merged); j++ {
			attached, found := strings.CutPrefix(merged[j], name)
			if !found {
				continue
			}
			n := 1
			if attached == "" && value != "" && j+1 < len(merged) {
				attached, n = merged[j+1], 2
			}
			if same = attached == value; same {
				break
			}
			merged, gone = slices.Delete(merged, j, j+n), true
			j--
		}
		replaced = replaced || gone
		if !same {
			merged = append(merged, name)
			if value != "" {
				merged = append(merged, value)
			}
		}
	}
	return merged, replaced
}
