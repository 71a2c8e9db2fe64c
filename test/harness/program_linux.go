package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"rpcapd/test/netlab"
)

// Program is the path of rpcapd or rpcap-sensor.
func Program(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(Folder(t), name)
}

// Folder is where both programs are.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// programs builds both, once. The folder is on the /run of the namespaces and ends with them; where there are none it is
// among what is built anyway.
var programs = sync.OnceValues(func() (dir string, err error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	if netlab.Inside() {
		dir, err = os.MkdirTemp("/run", "programs-")
	} else {
		dir = filepath.Join(root, "bin", "tests")
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the agent runs as somebody else
		return "", err
	}
	args, cgo := []string{"build", "-buildvcs=false", "-o", dir + "/"}, "CGO_ENABLED=0"
	if Race {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "./cmd/rpcapd", "./cmd/rpcap-sensor")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build programs: %w: %s", err, out)
	}
	return dir, nil
})

// repository is the folder of go.mod, above the one that the test runs in.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("build programs: no go.mod above the working directory")
}

// Tool is the path of a program to compare with. Without it the test is skipped, or fails where nothing may be skipped.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		netlab.Missing(t, name+" is not installed (make deps installs it as root)")
	}
	return path
}
