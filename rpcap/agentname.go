package rpcap

import (
	"errors"
	"fmt"
	"strings"
)

const (
	nameMark = ";name "
	// maxAgentName is the longest name in bytes, and as it is sent at most three times as long: old clients refuse descriptions of
	// more than 1,024 bytes, of which the text takes 240 and the alternative names 256.
	maxAgentName = 128
)

// CheckAgentName returns an error if a name cannot be sent.
func CheckAgentName(name string) error {
	switch {
	case strings.Trim(name, " \t") == "":
		return errors.New("nothing that could be shown as a name")
	case len(name) > maxAgentName:
		return fmt.Errorf("%d bytes, and a name has at most %d", len(name), maxAgentName)
	}
	return nil
}

// plainInName tells which bytes of a name are sent as they are.
func plainInName(c byte) bool { return c > ' ' && c < 0x7f && c != '%' && c != ';' }

// escapeName writes each byte that is not plain as %XX.
func escapeName(name string) string {
	var b strings.Builder
	for n := range len(name) {
		if c := name[n]; plainInName(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// unescapeName is the reverse; false if text is nothing that escapeName makes.
func unescapeName(text string) (string, bool) {
	if len(text) > 3*maxAgentName {
		return "", false
	}
	var b strings.Builder
	for n := 0; n < len(text); n++ {
		c := text[n]
		if c == '%' {
			if n+2 >= len(text) {
				return "", false
			}
			if _, err := fmt.Sscanf(text[n+1:n+3], "%02X", &c); err != nil {
				return "", false
			}
			n += 2
		}
		b.WriteByte(c)
	}
	name := b.String()
	return name, CheckAgentName(name) == nil && escapeName(name) == text
}

// AgentName is what the agent wants to be called, "" if it does not say.
func (l InterfaceList) AgentName() string {
	for i := range l.All() {
		if name := ParseDescription(i.Description).AgentName; name != "" {
			return name
		}
	}
	return ""
}
