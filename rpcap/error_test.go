package rpcap

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestErrorText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"short", "no such interface", "no such interface"},
		{"not ASCII", "Gerät fehlt", "Gerät fehlt"},
		{"255", strings.Repeat("a", 255), strings.Repeat("a", 255)},
		{"256", strings.Repeat("a", 256), strings.Repeat("a", 255)},
		{"cut at a character", strings.Repeat("a", 254) + "é", strings.Repeat("a", 254)},
		{"four-byte characters", strings.Repeat("𝄞", 100), strings.Repeat("𝄞", 63)},
		{"control characters", "a\x1b[31mb\r\nc\x00d", "a?[31mb??c?d"},
		{"not UTF-8", "a\xff\xfeb", "a??b"},
		{"replacing makes room", strings.Repeat("a", 254) + "\u2028b", strings.Repeat("a", 254) + "?"},
		{"right to left", "a\u202eb", "a?b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := (&Error{CodeRead, c.text}).Append(nil)
			h, payload, _, err := splitMessage(sent)
			if err != nil || string(payload) != c.want || h.Value != 9 {
				t.Errorf("sends %q, want %q (%+v, %v)", payload, c.want, h, err)
			}
			raw := Header{Type: TypeError, Value: 9, PayloadLen: uint32(len(c.text))}
			e, err := ParseError(raw, []byte(c.text))
			if err != nil || e.Text != c.want || e.Code != CodeRead {
				t.Errorf("reads %+v, want %q (%v)", e, c.want, err)
			}
		})
	}
}

func TestErrorParse(t *testing.T) {
	if _, err := ParseError(Header{Type: TypeClose}, nil); err == nil {
		t.Error("CLOSE parsed as ERROR")
	}
	if _, err := ParseError(Header{Type: TypeError, PayloadLen: 0xffffffff}, make([]byte, 300)); err == nil {
		t.Error("a text that is not there whole is accepted")
	}
	e, err := ParseError(Header{Type: TypeError, PayloadLen: 4}, []byte("ab\x00\x00"))
	if err != nil || e.Text != "ab" {
		t.Errorf("%+v, %v: terminators stay", e, err)
	}
	e, err = ParseError(Header{Type: TypeError, PayloadLen: 2}, []byte("abc"))
	if err != nil || e.Text != "ab" {
		t.Errorf("%+v, %v: reads beyond the message", e, err)
	}
	e, err = ParseError(Header{Type: TypeError, PayloadLen: 1 << 20}, []byte(strings.Repeat("é", 1<<19)))
	if err != nil || len(e.Text) > MaxErrorText || !utf8.ValidString(e.Text) || strings.Contains(e.Text, "?") {
		t.Errorf("%d bytes kept of a long text (%v): %q", len(e.Text), err, e.Text)
	}
}

func TestErrorIsError(t *testing.T) {
	err := fmt.Errorf("open eth9: %w", &Error{CodeOpen, "no such device"})
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeOpen {
		t.Errorf("%v hides its code", err)
	}
	if got := err.Error(); got != "open eth9: no such device (error 6, open)" {
		t.Error(got)
	}
	if got := (&Error{Code: 18}).Error(); got != "error 18 (authentication failed)" {
		t.Error(got)
	}
	seen := map[string]Code{}
	for c := CodeNetwork; c <= CodeAuthType; c++ {
		s := c.String()
		if strings.HasPrefix(s, "code ") || seen[s] != 0 {
			t.Errorf("code %d is called %q", uint16(c), s)
		}
		seen[s] = c
	}
	for _, c := range []Code{0, 21, 65535} {
		if want := fmt.Sprintf("code %d", uint16(c)); c.String() != want {
			t.Errorf("%q, want %q", c, want)
		}
	}
}
