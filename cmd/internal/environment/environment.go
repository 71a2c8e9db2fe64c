// Package environment reads the variables that configure a program: a prefix and the name of a key or flag in upper snake case.
//
//	MaxRate    RPCAPD_MAX_RATE
//	log-level  RPCAPD_LOG_LEVEL
//
// A name with the prefix that is not known is an error, and so is an empty value: a typo, or a variable of a script that was not set,
// could widen what is forwarded. What Kubernetes sets for a Service whose name begins with the prefix is passed over.
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

// Read returns the variables with a prefix, sorted by name. Known are the words that may follow it, others those that are
// somebody else's and are passed over. All that is wrong is in the error.
func Read(prefix string, environ, known, others []string) (list []Value, err error) {
	var errs []error
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		word, found := strings.CutPrefix(name, prefix)
		switch {
		case !found, slices.Contains(others, word), serviceLink(word, text):
		case !slices.Contains(known, word):
			errs = append(errs, fmt.Errorf("%s: unknown variable; %s", Place(printable.Name(name)), config.Suggest(prefix, word, known)))
		case strings.TrimSpace(text) == "":
			errs = append(errs, fmt.Errorf("%s: the value is empty; write one or remove the variable", Place(name)))
		default:
			list = append(list, Value{name, word, strings.TrimSpace(text)})
		}
	}
	slices.SortFunc(list, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return list, errors.Join(errs...)
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
