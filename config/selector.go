package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"rpcapd/iface"
)

// maxSelected bounds the names and patterns, and the networks, of one line.
const maxSelected = 64

// ParseInterface reads the value of ifname: the name of one interface, or names and patterns with / between, which mean each
// interface that matches.
func ParseInterface(value string) (s iface.Selector, warnings []string, err error) {
	switch {
	case strings.Contains(value, `"`):
		return s, nil, fmt.Errorf("ifname %s: quotation marks stand around a name or not at all", excerpt(value))
	case !iface.IsPattern(value) && len(value) > maxInterfaceName:
		return s, nil, fmt.Errorf("ifname %s: longer than %d bytes", excerpt(value), maxInterfaceName)
	case !iface.IsPattern(value):
		s.Name = value
		return s, nil, nil
	}
	for word := range strings.SplitSeq(value, "/") {
		word = strings.Trim(word, " \t")
		if err := checkPattern(word); err != nil {
			return s, nil, fmt.Errorf("ifname %s: %w", excerpt(value), err)
		}
		if !slices.Contains(s.Names, word) {
			s.Names = append(s.Names, word)
		}
	}
	if len(s.Names) > maxSelected {
		return s, nil, fmt.Errorf("ifname %s: more than %d names", excerpt(value), maxSelected)
	}
	if err := contradiction(s.Names); err != nil {
		return s, nil, fmt.Errorf("ifname %s: %w", excerpt(value), err)
	}
	if len(s.Names) == 1 && everyName(s.Names[0]) {
		warnings = append(warnings, fmt.Sprintf("ifname %s: this is every interface of the host, with loopback, and each that comes later; leave some out, as in ifname=!lo/!docker0, or name those that are meant", s.Names[0]))
	}
	return s, warnings, nil
}

// ParseInterfaceFlag reads the value of -i, which is that of ifname, or empty.
func ParseInterfaceFlag(value string) (iface.Selector, error) {
	s, _, err := ParseInterface(value)
	return s, err
}

// checkPattern looks at one name or pattern. A part that says nothing must not pass: it is what is left of a variable that was
// not set, or of a name, and could mean more than was meant.
func checkPattern(word string) error {
	name, excluded := strings.CutPrefix(word, "!")
	switch {
	case word == "":
		return errors.New("nothing stands before or behind a /; write a name there or remove the /")
	case name == "":
		return errors.New("nothing stands behind a !; write the name to leave out, as in !lo")
	case strings.HasPrefix(name, "!"):
		return errors.New("two ! in succession; write one")
	case strings.Trim(name, " \t") != name:
		return errors.New("a blank behind a !; write the name next to it")
	case len(name) > maxInterfaceName:
		return fmt.Errorf("longer than %d bytes", maxInterfaceName)
	case excluded && everyName(name):
		return fmt.Errorf("%s leaves out every interface", word)
	}
	return iface.CheckPattern(name)
}

// everyName tells whether a pattern matches any name.
func everyName(pattern string) bool {
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == "" && strings.Count(pattern, "?") < 2
}

// contradiction finds what cannot be meant by the names of a line together.
func contradiction(names []string) error {
	for _, word := range names {
		if strings.HasPrefix(word, "!") {
			continue
		}
		if others := slices.ContainsFunc(names, func(o string) bool { return o != word && !strings.HasPrefix(o, "!") }); others && everyName(word) {
			return fmt.Errorf("%s is every interface, whatever else the line names; remove it or the others", word)
		}
		for _, other := range names {
			if excluded, is := strings.CutPrefix(other, "!"); is && sameOrMatched(excluded, word) {
				return fmt.Errorf("%s is left out by %s; remove one of them", word, other)
			}
		}
	}
	return nil
}

// sameOrMatched tells whether a pattern is certain to match what a word means.
func sameOrMatched(pattern, word string) bool {
	return pattern == word || !strings.ContainsAny(word, "*?[") && iface.MatchName(pattern, word, false)
}

// parseAddresses reads the value of ifaddr: a network, or several with / between. What is only digits behind an address is the
// length of its prefix, since no address is.
func parseAddresses(value string) (s iface.Selector, warnings []string, err error) {
	words, err := splitAddresses(value)
	if err != nil {
		return s, nil, err
	}
	for _, word := range words {
		network, err := parseNetwork(word)
		if err != nil {
			return s, nil, fmt.Errorf("ifaddr %w", err)
		}
		warnings = append(warnings, hostBits("ifaddr", word)...)
		s.Nets = append(s.Nets, network)
	}
	if len(s.Nets) == 1 {
		s.Net, s.Nets = s.Nets[0], nil
		return s, warnings, nil
	}
	if len(s.Nets) > maxSelected {
		return s, nil, fmt.Errorf("ifaddr %s: more than %d networks", excerpt(value), maxSelected)
	}
	for n, p := range s.Nets {
		for m, q := range s.Nets {
			if n != m && q.Bits() <= p.Bits() && q.Contains(p.Addr()) && (q != p || m < n) {
				warnings = append(warnings, fmt.Sprintf("ifaddr: %s lies within %s; remove one of them", p, q))
			}
		}
	}
	return s, warnings, nil
}

// splitAddresses takes a list of networks apart.
func splitAddresses(value string) (words []string, err error) {
	parts := strings.Split(value, "/")
	if len(parts) < 3 && !strings.HasPrefix(value, "!") && !(len(parts) == 2 && isAddress(parts[1]) && !isMask(parts[1])) {
		return []string{value}, nil
	}
	for n := 0; n < len(parts); n++ {
		word := strings.Trim(parts[n], " \t")
		switch {
		case word == "":
			return nil, fmt.Errorf("ifaddr %s: nothing stands before or behind a /; write a network there or remove the /", excerpt(value))
		case strings.HasPrefix(word, "!"):
			return nil, fmt.Errorf("ifaddr %s: only ifname can leave something out: an interface has no address when it appears, so it would be captured until it has", excerpt(value))
		}
		if n+1 < len(parts) && (isLength(parts[n+1]) || isMask(parts[n+1])) {
			word += "/" + strings.Trim(parts[n+1], " \t")
			n++
		}
		words = append(words, word)
	}
	return words, nil
}

func isLength(word string) bool {
	word = strings.Trim(word, " \t")
	return word != "" && strings.Trim(word, "0123456789") == ""
}

func isAddress(word string) bool {
	_, err := netip.ParseAddr(strings.Trim(strings.Trim(word, " \t"), "[]"))
	return err == nil
}

// isMask recognizes 255.255.0.0 behind an address, which is told to be a length and is no address of an interface.
func isMask(word string) bool {
	a, err := netip.ParseAddr(strings.Trim(word, " \t"))
	if err != nil || !a.Is4() {
		return false
	}
	b := a.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return b[0] > 127 && ^n&(^n+1) == 0
}

// parseIgnored reads names and patterns of interfaces, separated like words, with quotation marks where a name has a blank.
func parseIgnored(value string) (list iface.Patterns, err error) {
	for _, word := range splitNames(value) {
		switch {
		case strings.HasPrefix(word, "!"):
			err = badValue(word, "these are names to leave out already; write it without the !")
		case everyName(word):
			err = badValue(word, "leaves out every interface")
		default:
			err = checkPattern(word)
			if err != nil {
				err = badValue(value, err.Error())
			}
		}
		if err != nil {
			return nil, err
		}
		list = append(list, word)
	}
	if len(list) == 0 {
		return nil, badValue(value, "write names or patterns, as in docker0, veth*")
	}
	if len(list) > maxSelected {
		return nil, badValue(value, fmt.Sprintf("more than %d names", maxSelected))
	}
	return list, nil
}

// splitNames splits at separators and at each /, but not within quotation marks.
func splitNames(value string) (words []string) {
	for value != "" {
		if i := strings.IndexByte(value, '"'); i == 0 {
			word, rest, _ := strings.Cut(value[1:], `"`)
			words, value = append(words, strings.Split(word, "/")...), rest
			continue
		}
		end := strings.IndexFunc(value, func(c rune) bool { return c == '/' || c == '"' || c < 0x80 && isSeparator(byte(c)) })
		switch {
		case end < 0:
			return append(words, value)
		case end > 0:
			words = append(words, value[:end])
		}
		if value[end] != '"' {
			end++
		}
		value = value[end:]
	}
	return words
}
