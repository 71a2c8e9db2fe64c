// Package environment reads the variables that configure a program: a prefix and the name of a key or flag in upper snake case.
//
//	MaxRate    RPCAPD_MAX_RATE
//	log-level  RPCAPD_LOG_LEVEL
//
// An empty value is an error, and so is a name with the prefix that is not known, if it looks like a typo or another variable
// configures the program: what is forwarded could widen. Other names are somebody's own, such as the path of the program in a
// script, and are only told of. What Kubernetes sets for a Service whose name begins with the prefix is passed over.
package environment

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"rpcapd/config"
	"rpcapd/printable"
)

// Value is a variable that is set.
type Value struct {
	Name string // with the prefix
	Word string // without
	Text string
}

// Place is how messages name it.
func (v Value) Place() string { return Place(v.Name) }

// Place is how messages name a variable.
func Place(name string) string { return "environment " + name }

// Word is the name of a key or flag as variables have it, without prefix.
func Word(key string) string {
	var b strings.Builder
	before := '_'
	for _, r := range key {
		switch {
		case r == '-':
			r = '_'
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
		before = r
	}
	return b.String()
}

// Read returns the variables with a prefix, sorted by name, and messages about those that mean nothing here. Known are the words
// that may follow the prefix, others those that are somebody else's and are passed over. All that is wrong is in the error.
func Read(prefix string, environ, known, others []string) (list []Value, strange []string, err error) {
	var unknown, misspelt, empty []string
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		word, found := strings.CutPrefix(name, prefix)
		switch {
		case !found, slices.Contains(others, word), serviceLink(word, text):
		case !slices.Contains(known, word):
			message := fmt.Sprintf("%s: unknown variable; %s", Place(printable.Name(name)), config.Suggest(prefix, word, known))
			if config.Misspelt(word, known) {
				misspelt = append(misspelt, message)
			} else {
				unknown = append(unknown, message)
			}
		case strings.TrimSpace(text) == "":
			empty = append(empty, Place(name)+": the value is empty; write one or remove the variable")
		default:
			list = append(list, Value{name, word, strings.TrimSpace(text)})
		}
	}
	slices.SortFunc(list, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(unknown)
	wrong := append(misspelt, empty...)
	if len(list)+len(wrong) == 0 {
		return nil, unknown, nil
	}
	if wrong = append(wrong, unknown...); len(wrong) > 0 {
		slices.Sort(wrong)
		err = errors.New(strings.Join(wrong, "\n"))
	}
	return list, nil, err
}

// serviceLink recognizes what Kubernetes sets for each Service, by name and value: SERVICE_HOST, SERVICE_PORT, SERVICE_PORT_HTTP,
// PORT=tcp://10.0.0.1:80, PORT_80_TCP, PORT_80_TCP_ADDR and so on, also behind more of the name of a Service.
// PORT=2003 is no such variable.
func serviceLink(word, text string) bool {
	switch {
	case linked(word, "SERVICE_HOST"):
		return isAddress(text)
	case strings.Contains("_"+word+"_", "_SERVICE_PORT_"):
		return isPort(text)
	case linked(word, "PORT") && isURL(text):
		return true
	}
	// …PORT_80_TCP, and the same with one word more.
	parts := strings.Split(word, "_")
	end := slices.IndexFunc(parts, func(p string) bool { return p == "TCP" || p == "UDP" || p == "SCTP" })
	if end < 2 || parts[end-2] != "PORT" || !isPort(parts[end-1]) {
		return false
	}
	switch strings.Join(parts[end+1:], "_") {
	case "":
		return isURL(text)
	case "ADDR":
		return isAddress(text)
	case "PORT":
		return isPort(text)
	case "PROTO":
		return strings.EqualFold(text, parts[end])
	}
	return false
}

// linked says whether a word is the given one, or ends with it after the name of a Service.
func linked(word, end string) bool { return word == end || strings.HasSuffix(word, "_"+end) }

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func isURL(text string) bool {
	scheme, address, found := strings.Cut(text, "://")
	_, err := netip.ParseAddrPort(address)
	return found && err == nil && slices.Contains([]string{"tcp", "udp", "sctp"}, scheme)
}
