package pcapoverip

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"rpcapd/printable"
	"rpcapd/sensor/sink"
)

const (
	// maxRequest bounds the line, its end included.
	maxRequest = 4096
	// beginTimeout is how long a client may be silent before it gets everything; lineTimeout is how long it may take
	// for the line once it has begun.
	beginTimeout = 150 * time.Millisecond
	lineTimeout  = 5 * time.Second
)

// parseRequest reads "filter=…; agents=…; rules=…", without the end of the line.
func parseRequest(line []byte) (sel sink.Selection, err error) {
	text := string(bytes.Trim(line, " \t\r"))
	switch {
	case len(line) > maxRequest:
		return sel, fmt.Errorf("the request is longer than %d bytes", maxRequest)
	case printable.Text(strings.ReplaceAll(text, "\t", " ")) != strings.ReplaceAll(text, "\t", " "):
		return sel, errors.New("the request is not text; it is one line such as filter=tcp port 443; agents=web*")
	}
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, found := strings.Cut(part, "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch {
		case !found || key != "filter" && key != "agents" && key != "rules":
			return sel, fmt.Errorf("%s is not understood; write filter=EXPRESSION; agents=LIST; rules=LIST", excerpt(part))
		case value == "":
			return sel, fmt.Errorf("%s= is empty; write a value or leave it out", key)
		case seen[key]:
			return sel, fmt.Errorf("%s= is given twice", key)
		}
		seen[key] = true
		switch key {
		case "filter":
			sel.Filter = value
		case "agents":
			sel.Agents = splitList(value)
		case "rules":
			sel.Rules = splitList(value)
		}
		if key != "filter" && len(splitList(value)) == 0 {
			return sel, fmt.Errorf("%s= names nothing; write names or patterns such as web*", key)
		}
	}
	return sel, sel.Check()
}

// splitList splits at commas and blanks.
func splitList(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
}

// excerpt quotes a client's text for a message.
func excerpt(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// describeSelection is a selection in the words of a request; empty is everything.
func describeSelection(s sink.Selection) string {
	var parts []string
	if s.Filter != "" {
		parts = append(parts, "filter="+s.Filter)
	}
	if len(s.Agents) > 0 {
		parts = append(parts, "agents="+strings.Join(s.Agents, ","))
	}
	if len(s.Rules) > 0 {
		parts = append(parts, "rules="+strings.Join(s.Rules, ","))
	}
	return strings.Join(parts, "; ")
}
