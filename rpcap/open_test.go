package rpcap

import (
	"strings"
	"testing"
)

func TestOpenRequestNames(t *testing.T) {
	for _, c := range []struct {
		payload, want string // want "" is an error
	}{
		{"eth0", "eth0"},
		{"eth0\x00", "eth0"},
		{"eth0\x00\x00\x00", "eth0"},
		{"a", "a"},
		{`\Device\NPF_{01234567-89AB-CDEF-0123-456789ABCDEF}`, `\Device\NPF_{01234567-89AB-CDEF-0123-456789ABCDEF}`},
		{strings.Repeat("n", 1024), strings.Repeat("n", 1024)},
		{strings.Repeat("n", 1025), ""},
		{"", ""},
		{"\x00", ""},
		{"eth0\x00eth1", ""},
		{"\x00eth0", ""},
	} {
		m, n, err := ParseOpenRequest([]byte(c.payload))
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%.20q gives %q", c.payload, m.Name)
		case c.want != "" && (err != nil || m.Name != c.want || n != len(c.payload)):
			t.Errorf("%.20q gives %.20q, %d used, %v", c.payload, m.Name, n, err)
		}
	}
}
