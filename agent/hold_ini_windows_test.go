package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHoldIni: a second holder of an ini is refused until the first lets go, whatever the case of its path.
func TestHoldIni(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with a blank and \u00fc")
	path, other := filepath.Join(dir, "rpcapd.ini"), filepath.Join(dir, "other.ini")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(path, nil, 0o600), os.WriteFile(other, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	first, err := HoldIni(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, strings.ToUpper(path)} {
		if _, err := HoldIni(p); !errors.Is(err, ErrIniTaken) || !strings.Contains(err.Error(), "another agent already uses it") {
			t.Errorf("%s: %v", p, err)
		}
	}
	second, err := HoldIni(other)
	if err != nil {
		t.Error(err)
	} else {
		defer second.Close()
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := HoldIni(path)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
