package rpcap

import (
	"reflect"
	"strings"
	"testing"
)

func TestDescription(t *testing.T) {
	left := LeftOut{Interfaces: 12, Addresses: 345}
	for _, c := range []struct {
		d    Description
		want string
	}{
		{Description{}, ""},
		{Description{Text: "uplink"}, "uplink"},
		{Description{Preselected: true}, ";preselected"},
		{Description{Text: "uplink", Preselected: true}, "uplink ;preselected"},
		{Description{AltNames: []string{"enp0s3"}}, ";also enp0s3"},
		{Description{Text: "a b", AltNames: []string{"enp0s3", "enx1"}, LeftOut: left, Preselected: true},
			"a b ;also enp0s3 enx1 ;left out: 12 interfaces, 345 addresses ;preselected"},
		{Description{LeftOut: left}, ";left out: 12 interfaces, 345 addresses"},
	} {
		if got := c.d.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.d, got, c.want)
		}
		if got := ParseDescription(c.want); !reflect.DeepEqual(got, c.d) {
			t.Errorf("%q: %+v, want %+v", c.want, got, c.d)
		}
	}
	for _, text := range []string{"a;b", ";also", "x ;left out: many", ";left out: 1 interfaces", "preselected", "x;also a;b"} {
		if d := ParseDescription(text); d.Text != text || d.String() != text {
			t.Errorf("%q became %+v", text, d)
		}
	}
	d := Description{AltNames: []string{"a b", "", "c;d", "ok", "\x1b[2J", strings.Repeat("x", 300)}}
	if got := d.String(); got != ";also ok" {
		t.Errorf("alternative names: %q", got)
	}
}

// TestAgentName: any byte of a name arrives, in front of the mark, which stays last; nothing else is taken for a name.
func TestAgentName(t *testing.T) {
	every := make([]byte, 128)
	for half := range 2 {
		for n := range every {
			every[n] = byte(128*half + n)
		}
		d := Description{Text: strings.Repeat("t", 300), AltNames: []string{strings.Repeat("a", 250)}, LeftOut: LeftOut{99999, 99999}, AgentName: string(every), Preselected: true}
		text := d.String()
		if got := ParseDescription(text); got.AgentName != string(every) || !got.Preselected || got.LeftOut != d.LeftOut || len(got.AltNames) != 1 {
			t.Errorf("%q became %+v", text, got)
		}
		if !strings.HasSuffix(text, " "+PreselectedMark) || len(text) > 1024 || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
	for _, c := range []struct {
		d    Description
		want string
	}{
		{Description{AgentName: "node1"}, ";name node1"},
		{Description{Text: "uplink", AgentName: "a b;c%", Preselected: true}, "uplink ;name a%20b%3Bc%25 ;preselected"},
		{Description{AgentName: strings.Repeat("x", 129), Preselected: true}, ";preselected"},
	} {
		if got := c.d.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for _, text := range []string{";name ", ";name a b", ";name a%2", ";name a%zz", ";name a%41", ";name a%3b", ";name %20", ";name " + strings.Repeat("x", 129)} {
		if d := ParseDescription(text + " ;preselected"); d.AgentName != "" || d.Text != text || !d.Preselected {
			t.Errorf("%q became %+v", text, d)
		}
	}
	list := NewInterfaceList(Interface{Name: "eth0", Description: "x"}, Interface{Name: "eth1", Description: ";name node1"})
	if got := list.AgentName(); got != "node1" {
		t.Errorf("the list says %q", got)
	}
}

func FuzzDescription(f *testing.F) {
	f.Add("a ;also b c ;left out: 1 interfaces, 2 addresses ;preselected")
	f.Add("Network device ;preselected")
	f.Fuzz(func(t *testing.T, s string) {
		d := ParseDescription(s)
		if again := ParseDescription(d.String()); again.Preselected != d.Preselected || again.LeftOut != d.LeftOut || again.AgentName != d.AgentName {
			t.Errorf("%q: %+v, then %+v", s, d, again)
		}
	})
}
