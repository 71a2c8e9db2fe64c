package system

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"rpcapd/test/netlab"
)

// TestMain has four tests run beside each other, of those that measure nothing and mostly
// wait; -parallel has the last word. For ordinary users they run one by one: into their
// small receive buffers goes what comes in a few milliseconds.
func TestMain(m *testing.M) {
	atOnce := "4"
	if !manyUsers() {
		atOnce = "1"
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	netlab.Main(m)
}

// programs builds what the tests run, once, without cgo. The folder is on the /run of
// the namespaces and ends with them.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("/run", "programs-"); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the agent runs as somebody else
		return "", err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/", "./cmd/rpcapd", "./cmd/rpcap-sensor")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build programs: %w: %s", err, out)
	}
	return dir, nil
})

// built is the path of a program under test.
func built(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// tool is the path of a program to compare with; without it the test is skipped, or
// fails where nothing may be skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		netlab.Missing(t, name+" is not installed (make deps installs it as root)")
	}
	return path
}
