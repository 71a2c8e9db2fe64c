package packages

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLintian: the debs are clean, with the overrides whose reasons stand in packaging/lintian.
func TestLintian(t *testing.T) {
	full(t)
	for program := range installed {
		out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", deb(t, program, newVersion)).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		t.Logf("lintian %s: %q", program, strings.TrimSpace(string(out)))
	}
}

// TestRpmlint: so are the rpms, with the filters of packaging/rpmlint.toml.
func TestRpmlint(t *testing.T) {
	full(t)
	for program := range installed {
		out, err := exec.Command("rpmlint", "-c", filepath.Join(repository, "packaging/rpmlint.toml"), rpm(t, program, newVersion)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), " 0 errors, 0 warnings") {
			t.Errorf("%v\n%s", err, out)
		}
		t.Logf("rpmlint %s: %s", program, last(string(out)))
	}
}

// last is the last line of a text.
func last(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
