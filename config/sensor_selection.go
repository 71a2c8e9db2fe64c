package config

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
	"time"
)

const (
	minMaxFrame = 64     // bytes; the headers of a frame
	maxMaxFrame = 262144 // the longest frame there is
)

// selectionKeys are the keys of a selection, the same in every section of an output.
var selectionKeys = []string{"Filter", "Agents", "Rules", "MaxFrame"}

// set puts a line in force if it belongs to a selection.
func (sel *Selection) set(s setting) (mine bool, err error) {
	switch value := unquote(s.value); s.key {
	case "Filter":
		sel.Filter = value
	case "Agents":
		sel.Agents, err = parsePatterns(value, "write names, patterns or networks, as in web*, 10.1.0.0/16")
	case "Rules":
		sel.Rules, err = parsePatterns(value, "write names of rules or patterns, as in dmz*")
	case "MaxFrame":
		sel.MaxFrame, err = parseMaxFrame(value)
	default:
		return false, nil
	}
	return true, err
}

func parseMaxFrame(value string) (int, error) {
	n, err := parseInt(value)
	if err != nil || n < minMaxFrame || n > maxMaxFrame {
		return 0, badValue(value, fmt.Sprintf("write a number of bytes, %d to %d, as in 65519", minMaxFrame, maxMaxFrame))
	}
	return int(n), nil
}

// parsePatterns reads a list of patterns of path.Match and networks.
func parsePatterns(value, cure string) ([]string, error) {
	words := splitWords(value)
	for _, word := range words {
		if strings.Contains(word, "/") {
			if _, err := netip.ParsePrefix(word); err != nil {
				return nil, badValue(word, cure)
			}
			continue
		}
		if _, err := path.Match(word, ""); err != nil {
			return nil, badValue(word, "the pattern has no end; [ needs a ]")
		}
	}
	if len(words) == 0 {
		return nil, badValue(value, cure)
	}
	return words, nil
}

// parseDuration takes blanks between number and unit.
func parseDuration(value string) (time.Duration, error) {
	return time.ParseDuration(strings.ToLower(strings.ReplaceAll(value, " ", "")))
}
