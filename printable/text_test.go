package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "eth0: Intel I350", "eth0: Intel I350"},
		{"letters of other scripts", "Büro-Straße 東京", "Büro-Straße 東京"},
		{"colour", "\x1b[31mred", "?[31mred"},
		{"bell, backspace, delete", "a\ab\bc\x7f", "a?b?c?"},
		{"a forged line", "eth0\n2026-01-01T00:00:00Z ERROR gone", "eth0?2026-01-01T00:00:00Z ERROR gone"},
		{"carriage return and tab", "a\r\tb", "a??b"},
		{"C1 control", "a\u009b31mb", "a?31mb"},
		{"line separators", "a\u2028b\u2029c\u0085d", "a?b?c?d"},
		{"direction of writing", "a\u202eb\u2066c\u200fd", "a?b?c?d"},
		{"invisible", "eth0\u200b\ufeff", "eth0??"},
		{"hard blank", "a\u00a0b", "a?b"},
		{"not UTF-8", "a\xff\xc3", "a??"},
		{"zero", "a\x00b", "a?b"},
	} {
		if got := Text(tc.in); got != tc.want {
			t.Errorf("%s: Text(%q) = %q, want %q", tc.name, tc.in, got, tc.want)
		}
	}
}

func TestLine(t *testing.T) {
	for _, tc := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"äöüß", 3, "äöü…"},
		{"äöü", 3, "äöü"},
		{"a\nbc", 2, "a?…"},
		{"abc", 0, "…"},
		{"", 0, ""},
		{strings.Repeat("x", 1<<20), 2, "xx…"},
	} {
		if got := Line(tc.in, tc.n); got != tc.want {
			t.Errorf("Line(%.8q, %d) = %q, want %q", tc.in, tc.n, got, tc.want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"eth0", "\x1b[2J", "a\xffb", "\u202e", "äöü"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		text := Text(s)
		if !utf8.ValidString(text) || len(text) > len(s) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Text(%q) = %q", s, text)
		}
		n = n & 0xff
		if line := Line(s, n); utf8.RuneCountInString(line) > n+1 {
			t.Errorf("Line(%q, %d) = %q", s, n, line)
		}
	})
}
