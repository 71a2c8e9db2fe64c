//go:build linux

package system

import (
	"testing"
	"time"
)

// TestInOrderOf: concurrent frames may change places; others may not, and nothing may be missing.
func TestInOrderOf(t *testing.T) {
	list := func(frames string, at ...int) (all []frame) {
		for i := range frames {
			all = append(all, frame{at: time.UnixMilli(int64(at[i])), data: []byte{frames[i]}})
		}
		return all
	}
	text := func(frames []frame) (s string) {
		for _, f := range frames {
			s += string(f.data)
		}
		return s
	}
	want := list("abcd", 0, 100, 101, 200)
	for got, order := range map[string]string{"abcd": "abcd", "acbd": "acbd", "bacd": "abcd", "abdc": "abcd", "acd": "acbd", "axcd": "abcd"} {
		if s := text(inOrderOf(list(got, 0, 0, 0, 0), want)); s != order {
			t.Errorf("%s: compared with %s, want %s", got, s, order)
		}
	}
	if s := text(want); s != "abcd" {
		t.Errorf("the list itself is changed: %s", s)
	}
}
