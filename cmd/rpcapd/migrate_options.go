//go:build !windows

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rpcapd/cmd/internal/inifile"
)

// optionsKey begins the line that the unit and the init scripts read.
const optionsKey = "RPCAPD_OPTIONS="

// writeOptions puts options where the unit and the init scripts read them. What the operator has there stays, but for the
// same option with another value: the line is then kept as a comment.
func (s *setup) writeOptions(options []string) error {
	if len(options) == 0 {
		return nil
	}
	path := s.in("/etc/default/rpcapd")
	if !exists(filepath.Dir(path)) || exists(s.in("/etc/sysconfig")) && !exists(path) {
		path = s.in("/etc/sysconfig/rpcapd")
	}
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("write options: %w", err)
	}
	edited, set, kept := editOptions(string(text), options)
	if edited == string(text) {
		s.out("%s: nothing to change", path)
		return nil
	}
	if err := inifile.Replace(path, []byte(edited), agentGroup); err != nil {
		return fmt.Errorf("write options: %w", err)
	}
	s.out("%s: %s%q", path, optionsKey, set)
	if kept {
		s.out("%s: its former options had other values; they are kept there as a comment", path)
	}
	return nil
}

// editOptions changes the last line of options, the one that counts, or adds one.
func editOptions(text string, options []string) (edited, set string, kept bool) {
	lines := slices.Collect(strings.Lines(text))
	at := -1
	for i, line := range lines {
		if strings.HasPrefix(line, optionsKey) {
			at = i
		}
	}
	if at < 0 {
		set = strings.Join(options, " ")
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return text + optionsKey + strconv.Quote(set) + "\n", set, false
	}
	former := strings.Trim(strings.TrimSpace(strings.TrimPrefix(lines[at], optionsKey)), `"'`)
	merged, kept := mergeOptions(strings.Fields(former), options)
	set = strings.Join(merged, " ")
	if set == former {
		return text, set, false
	}
	line := optionsKey + strconv.Quote(set) + "\n"
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
