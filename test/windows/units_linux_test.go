package windows

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

// unitLimit is for all tests of one package.
const unitLimit = 3 * time.Minute

// TestRootUnits runs the tests of all packages as they are for Windows, each in its own folder of the repository, which they
// cannot write to. What they skip, and why, is in the log.
func TestRootUnits(t *testing.T) {
	m := newMachine(t, netlab.New(t).Namespace("units"))
	dir := t.TempDir()
	m.share(dir, "/units")
	for _, folder := range buildUnits(t, dir) {
		t.Run(folder, func(t *testing.T) {
			m := &machine{t: t, ns: m.ns, root: m.root}
			p := m.start("/repo/"+folder, `Z:\units\`+unitBinary(folder), "-test.v", "-test.timeout="+unitLimit.String())
			text, code := ended(p, unitLimit+time.Minute)
			passed, skipped := strings.Count(text, "\n--- PASS"), strings.Count(text, "\n--- SKIP")
			t.Logf("%d passed, %d skipped\n%s", passed, skipped, lines(text, "--- SKIP"))
			switch {
			case code != 0 || strings.Contains(text, "--- FAIL"):
				t.Errorf("exit code %d\n%s", code, lines(text, "--- FAIL"))
			case passed == 0 && skipped == 0:
				t.Errorf("no test has run")
			}
		})
	}
}

// lines are those lines of a verbose run that contain a text, each with those that follow it and are indented.
func lines(text, word string) string {
	var out strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		inside = strings.Contains(line, word) || inside && strings.HasPrefix(line, " ") && !strings.Contains(line, "--- ")
		if inside {
			out.WriteString(line)
		}
	}
	return out.String()
}

// unitBinary is the name of a package's tests.
func unitBinary(folder string) string { return strings.ReplaceAll(folder, "/", "_") + ".test.exe" }

// buildUnits compiles the tests of all packages that have some on Windows, and returns the folders of these.
func buildUnits(t *testing.T, dir string) []string {
	t.Helper()
	overlay, err := netOverlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	list, err := goForWindows("../..", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./...")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for path := range strings.FieldsSeq(list) {
		folder := strings.TrimPrefix(path, "rpcapd/")
		if _, err := goForWindows("../..", "test", "-c", overlay, "-o", filepath.Join(dir, unitBinary(folder)), path); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, folder)
	}
	if len(folders) < 30 {
		t.Fatalf("only %d packages have tests", len(folders))
	}
	return folders
}
