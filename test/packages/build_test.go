//go:build unix

package packages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

// repository is where the packages are built.
const repository = "../.."

// Versions that are built: an upgrade goes from the first to the second.
const (
	oldVersion = "1.0.0"
	newVersion = "1.1.0"
)

// builds remembers what was built, for all tests of a run.
var builds struct {
	sync.Mutex
	root string
	done map[string]error
}

// everything says that all packages are built: it takes seconds to compress each.
var everything = os.Getenv("TEST_PACKAGES") == "1" || netlab.Full()

// wanted narrows a build down to what the tests look at otherwise: no rpm, and of the old
// version the install script only.
func wanted(version string) []string {
	switch {
	case everything:
		return nil
	case version == oldVersion:
		return []string{"-programs", "rpcapd", "-formats", "sh"}
	default:
		return []string{"-formats", "deb,apk,tar,sh"}
	}
}

// built returns the folder with the packages of a version for this machine.
func built(t *testing.T, version string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if builds.done == nil {
		builds.done = make(map[string]error)
	}
	dir := filepath.Join(builds.root, version)
	err, done := builds.done[version]
	if !done {
		err = build(dir, version, wanted(version)...)
		builds.done[version] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// build runs what make package runs.
func build(dir, version string, more ...string) error {
	args := append([]string{"run", "-buildvcs=false", "./packaging/build", "-o", dir, "-version", version, "-arches", runtime.GOARCH}, more...)
	cmd := exec.Command("go", args...)
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+epoch())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build packages: %w\n%s", err, out)
	}
	return nil
}

// epoch is the time of the commit, the same for a whole run.
var epoch = sync.OnceValue(func() string {
	cmd := exec.Command("git", "log", "-1", "--format=%ct")
	cmd.Dir = repository
	out, err := cmd.Output()
	if err != nil {
		return "1700000000" // no clone: any time will do
	}
	return strings.TrimSpace(string(out))
})

// file returns the one file of a version that matches.
func file(t *testing.T, version, pattern string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(built(t, version), pattern))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %v, %v", pattern, list, err)
	}
	return list[0]
}

func deb(t *testing.T, program, version string) string {
	return file(t, version, program+"_*.deb")
}

func rpm(t *testing.T, program, version string) string {
	return file(t, version, program+"-[0-9]*.rpm")
}

// TestReproducible: two builds from one commit are the same, byte for byte, also with
// another umask and another folder.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a second time")
	}
	first := built(t, newVersion)
	// Files of another clone have other times.
	scripts, err := filepath.Glob(filepath.Join(repository, "packaging/*/rpcapd*"))
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, name := range scripts {
		if err := os.Chtimes(name, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	second := filepath.Join(t.TempDir(), "a folder elsewhere")
	if err := build(second, newVersion, append(wanted(newVersion), "-programs", "rpcapd")...); err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob(filepath.Join(first, "*rpcapd*")) // those of the other program are built once only
	if err != nil || len(all) < 4 {                             // deb, apk, tar.gz and the install script, at least
		t.Fatal(all, err)
	}
	if compared := sameFiles(t, first, second); compared != len(all) {
		t.Errorf("%d files compared, want %d", compared, len(all))
	}
}

// sameFiles compares each file of the second folder with the one in the first, but for the list of sums, and counts them.
func sameFiles(t *testing.T, first, second string) (compared int) {
	t.Helper()
	entries, err := os.ReadDir(second)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "SHA256SUMS" {
			continue
		}
		a, err := os.ReadFile(filepath.Join(first, e.Name()))
		if err != nil {
			t.Error(err)
			continue
		}
		b, err := os.ReadFile(filepath.Join(second, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(b) {
			t.Errorf("%s differs between two builds", e.Name())
		}
		compared++
	}
	return compared
}

// TestChecksums: the list names every file, and sha256sum agrees.
func TestChecksums(t *testing.T) {
	dir := built(t, newVersion)
	cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if ok := strings.Count(string(out), ": OK"); ok != len(entries)-1 {
		t.Errorf("%d files are listed, %d are there", ok, len(entries)-1)
	}
}
