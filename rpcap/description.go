package rpcap

import (
	"fmt"
	"strings"
	"unicode"

	"rpcapd/printable"
)

const (
	alsoMark    = ";also "
	leftOutMark = ";left out: "
	// maxAltNames is how much of a description alternative names may take, in bytes.
	maxAltNames = 256
)

// LeftOut is what of an interface list did not fit into one message.
type LeftOut struct{ Interfaces, Addresses int }

func (o LeftOut) String() string {
	return fmt.Sprintf("%d interfaces, %d addresses", o.Interfaces, o.Addresses)
}

// Description is what an agent says about an interface besides its addresses. Each part
// behind the text begins with a semicolon; agents of other makes know the last one only.
//
//	text ;also NAME NAME ;left out: 12 interfaces, 345 addresses ;name NAME ;preselected
type Description struct {
	Text        string   // at most 240 bytes are encoded when something follows
	AltNames    []string // other names of the interface
	LeftOut     LeftOut  // only in the last entry of a list
	AgentName   string   // what the agent wants to be called; only in the first entry. It is not fit to be shown
	Preselected bool
}

// String encodes the description. Alternative names that would not be read again, and
// those beyond 256 bytes, are left out.
func (d Description) String() string {
	var parts []string
	if names := d.altNames(); names != "" {
		parts = append(parts, alsoMark+names)
	}
	if d.LeftOut != (LeftOut{}) {
		parts = append(parts, leftOutMark+d.LeftOut.String())
	}
	if d.AgentName != "" && CheckAgentName(d.AgentName) == nil {
		parts = append(parts, nameMark+escapeName(d.AgentName))
	}
	if d.Preselected {
		parts = append(parts, PreselectedMark)
	}
	if len(parts) == 0 {
		return d.Text
	}
	if d.Text != "" {
		parts = append([]string{cutText(d.Text, maxDescription)}, parts...)
	}
	return strings.Join(parts, " ")
}

func (d Description) altNames() string {
	var b strings.Builder
	for _, n := range d.AltNames {
		bad := n == "" || strings.ContainsFunc(n, func(r rune) bool { return r == ';' || unicode.IsSpace(r) }) || printable.Text(n) != n
		if bad || b.Len()+len(n) > maxAltNames {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(n)
	}
	return b.String()
}

// ParseDescription takes a description apart. Every description is one: what is no part
// that an agent adds is text.
func ParseDescription(s string) (d Description) {
	if rest, ok := strings.CutSuffix(s, PreselectedMark); ok {
		d.Preselected, s = true, strings.TrimSuffix(rest, " ")
	}
	if rest, last, ok := cutLast(s, nameMark); ok {
		if name, ok := unescapeName(last); ok {
			d.AgentName, s = name, rest
		}
	}
	if rest, last, ok := cutLast(s, leftOutMark); ok {
		var o LeftOut
		if n, err := fmt.Sscanf(last, "%d interfaces, %d addresses", &o.Interfaces, &o.Addresses); n == 2 && err == nil && o.String() == last {
			d.LeftOut, s = o, rest
		}
	}
	if rest, last, ok := cutLast(s, alsoMark); ok && !strings.Contains(last, ";") {
		d.AltNames, s = strings.Fields(last), rest
	}
	d.Text = s
	return d
}

// cutLast cuts s around the last sep, and drops the space before it.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return strings.TrimSuffix(s[:i], " "), s[i+len(sep):], true
}

// LeftOut returns what the agent says did not fit into the list.
func (l InterfaceList) LeftOut() LeftOut {
	b, last := l.entries, []byte(nil)
	for range l.count {
		n, err := entryLen(b)
		if err != nil {
			return LeftOut{}
		}
		last, b = b[:n], b[n:]
	}
	if last == nil {
		return LeftOut{}
	}
	i := decodeEntry(last)
	return ParseDescription(i.Description).LeftOut
}
