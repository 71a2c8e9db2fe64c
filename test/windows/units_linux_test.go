package windows

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

const (
	// unitLimit is for all tests of one package: those of agent take three minutes where they have a processor to themselves, and more
	// than eight on a busy machine.
	unitLimit = 20 * time.Minute
	// unitMachines are at work at once.
	unitMachines = 2
)

// TestRootUnits runs the tests of all packages as they are for Windows, each in its own folder of the repository, which they
// cannot write to. What they skip, and why, is in the log.
func TestRootUnits(t *testing.T) {
	dir := t.TempDir()
	lab, free := netlab.New(t), make(chan *machine, unitMachines)
	for i := range unitMachines {
		m := newMachine(t, lab.Namespace(fmt.Sprint("units", i)))
		m.share(dir, "/units")
		free <- m
	}
	binaries := buildUnits(t, dir)
	for _, folder := range slices.Sorted(maps.Keys(binaries)) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			one := <-free
			defer func() { free <- one }()
			m := &machine{t: t, ns: one.ns, root: one.root}
			p := m.start("/repo/"+folder, `Z:\units\`+binaries[folder], "-test.v", "-test.timeout="+unitLimit.String())
			text, code := ended(p, unitLimit+time.Minute)
			passed, skipped := strings.Count(text, "\n--- PASS"), strings.Count(text, "\n--- SKIP")
			t.Logf("%d passed, %d skipped\n%s", passed, skipped, ends(text, "--- SKIP"))
			switch {
			case code != 0 || strings.Contains(text, "--- FAIL"):
				t.Errorf("exit code %d\n%s", code, ends(text, "--- FAIL"))
			case passed == 0 && skipped == 0:
				t.Errorf("no test has run")
			}
		})
	}
}

// ends are the ends of tests that have a verdict in a verbose run, each with what the test said before.
func ends(text, verdict string) string {
	var out, said strings.Builder
	for line := range strings.Lines(text) {
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(trimmed, verdict):
			out.WriteString(said.String() + line)
			said.Reset()
		case strings.HasPrefix(trimmed, "--- "), strings.HasPrefix(trimmed, "=== "):
			said.Reset()
		default:
			said.WriteString(line)
		}
	}
	return out.String()
}

// buildUnits compiles the tests of all packages that have some on Windows. It returns where those of each folder are below dir.
// Binaries are named after the last part of a path, so packages of the same name go into different folders.
func buildUnits(t *testing.T, dir string) map[string]string {
	t.Helper()
	overlay, err := netOverlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	list, err := goForWindows("../..", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./...")
	if err != nil {
		t.Fatal(err)
	}
	binaries := make(map[string]string)
	for n, rest := 0, strings.Fields(list); len(rest) > 0; n++ {
		group := fmt.Sprint(n)
		args := []string{"test", "-c", overlay, "-o", filepath.Join(dir, group) + "/"}
		taken := make(map[string]bool)
		var later []string
		for _, pkg := range rest {
			name := path.Base(pkg)
			if taken[name] {
				later = append(later, pkg)
				continue
			}
			taken[name] = true
			args = append(args, pkg)
			binaries[strings.TrimPrefix(pkg, "rpcapd/")] = group + `\` + name + ".test.exe"
		}
		if _, err := goForWindows("../..", args...); err != nil {
			t.Fatal(err)
		}
		rest = later
	}
	if len(binaries) < 30 {
		t.Fatalf("only %d packages have tests", len(binaries))
	}
	return binaries
}
