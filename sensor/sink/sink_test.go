package sink

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"rpcapd/savefile"
)

// TestInterfaceBlockPrintable: nothing that an agent says gives orders to a terminal, forges a line or a name.
func TestInterfaceBlockPrintable(t *testing.T) {
	bad := "eth0\x1b]0;x\a\n2026 ERROR forged\u009b31m\u202e0hte\u2066\xff"
	src := Source{
		Host: "web", Agent: netip.MustParseAddr("10.0.0.2"), Interface: bad, Description: strings.Repeat(bad, 200),
		Filter: "ip", Rule: "r\n", LinkType: 1, Snaplen: 96,
	}
	i := src.InterfaceBlock()
	for _, text := range []string{i.Name, i.Description, i.Comment, i.Filter} {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("not printable: %q", text)
		}
	}
	if !strings.HasPrefix(i.Name, "web/eth0?]0;x??2026 ERROR forged") || !strings.Contains(i.Comment, "rule r?, snap length 96") {
		t.Errorf("name %q, comment %q", i.Name, i.Comment)
	}
	if b := savefile.AppendInterface(nil, i); bytes.ContainsAny(b, "\x1b\a\n") {
		t.Error("the block has control characters")
	}
}
