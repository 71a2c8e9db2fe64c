package password

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFirstLine: of a file or pipe the first line is the password, whatever its end.
func TestFirstLine(t *testing.T) {
	for text, want := range map[string]string{"secret": "secret", "secret\nmore": "secret", "secret\r\n": "secret", "a b\r\nrest": "a b", " a b \n": " a b ", "\nx": ""} {
		name := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := File(name)
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "first line of "+name) {
				t.Errorf("%q: %v", text, err)
			}
		} else if err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var asked strings.Builder
		if got, err := Choose(f, &asked); err != nil || got != want || asked.Len() > 0 {
			t.Errorf("%q: %q, %v, asked %q", text, got, err, &asked)
		}
		f.Close()
	}
	if _, err := File(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file, no error")
	}
}
