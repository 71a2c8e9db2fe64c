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

func FuzzDescription(f *testing.F) {
	f.Add("a ;also b c ;left out: 1 interfaces, 2 addresses ;preselected")
	f.Add("Network device ;preselected")
	f.Fuzz(func(t *testing.T, s string) {
		d := ParseDescription(s)
		if again := ParseDescription(d.String()); again.Preselected != d.Preselected || again.LeftOut != d.LeftOut {
			t.Errorf("%q: %+v, then %+v", s, d, again)
		}
	})
}
