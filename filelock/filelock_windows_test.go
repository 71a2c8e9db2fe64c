package filelock

import (
	"errors"
	"os"
	"testing"
)

// TestHolder: that another process has a range is seen, and only while it has it. Nobody is kept from reading a file whose
// Exclusive lock somebody has.
func TestHolder(t *testing.T) {
	f := newFile(t)
	if pid, held, err := Holder(f, Range{}); held || err != nil {
		t.Fatalf("nobody has it: %d, %v, %v", pid, held, err)
	}
	word, _, end := another(t, "write", Range{1 << 60, 1}, f.Name())
	if word != "<nil>" {
		t.Fatal(word)
	}
	for r, want := range map[Range]bool{{}: true, {1 << 60, 1}: true, {1<<60 + 1, 1}: false, {0, 1 << 60}: false} {
		if pid, held, err := Holder(f, r); err != nil || held != want || pid != 0 {
			t.Errorf("%+v: process %d, %v, %v; want %v", r, pid, held, err, want)
		}
	}
	for what, err := range map[string]error{"Write": Write(f, Range{}), "Read": Read(f, Range{})} {
		if !errors.Is(err, ErrHeld) {
			t.Errorf("%s: %v", what, err)
		}
	}
	end()
	if err := Write(f, Range{}); err != nil {
		t.Errorf("it has ended: %v", err)
	}
}

func TestExclusiveIsRead(t *testing.T) {
	f := newFile(t)
	if _, err := f.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if err := Exclusive(f); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(f.Name()); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}
