//go:build unix

package filelock

import (
	"errors"
	"testing"
)

// TestHolder: the process that has a range is named, and only while it has it.
func TestHolder(t *testing.T) {
	for _, kind := range []string{"write", "read"} {
		f := newFile(t)
		if pid, held, err := Holder(f, Range{}); held || err != nil {
			t.Fatalf("%s: nobody has it: %d, %v, %v", kind, pid, held, err)
		}
		word, pid, end := another(t, kind, Range{1 << 60, 1}, f.Name())
		if word != "<nil>" {
			t.Fatalf("%s: %s", kind, word)
		}
		for r, want := range map[Range]bool{{}: true, {1 << 60, 1}: true, {1<<60 + 1, 1}: false, {0, 1 << 60}: false} {
			got, held, err := Holder(f, r)
			if err != nil || held != want || want && got != pid {
				t.Errorf("%s, %+v: process %d, %v, %v; want %v, process %d", kind, r, got, held, err, want, pid)
			}
		}
		if err := Write(f, Range{}); !errors.Is(err, ErrHeld) {
			t.Errorf("%s: Write: %v", kind, err)
		}
		if err := Read(f, Range{}); (err == nil) != (kind == "read") {
			t.Errorf("%s: Read: %v", kind, err)
		}
		end()
		if err := Write(f, Range{}); err != nil {
			t.Errorf("%s: it has ended: %v", kind, err)
		}
	}
}
