package consumers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// demanded says that nothing may be skipped.
func demanded() bool { return os.Getenv("TEST_CONSUMERS") == "1" }

// preparedVariable tells the tests in their namespaces where the chroot is, or why there is none.
const preparedVariable = "RPCAPD_CONSUMERS_CHROOT"

// TestMain makes the chroot first: in the namespaces there is no network.
func TestMain(m *testing.M) {
	if demanded() && os.Getenv(preparedVariable) == "" {
		root, err := chroot("trixie", "suricata")
		if err != nil {
			root = "error: " + err.Error()
		}
		os.Setenv(preparedVariable, root)
	}
	netlab.Main(m)
}

// chroot is a Debian system with packages, made by the first run that asks for it.
func chroot(suite, extra string) (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("making a chroot needs root")
	}
	dir := os.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".cache")
	}
	root := filepath.Join(dir, "rpcapd-test", suite+"-"+extra)
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(root+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // frees it
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(root, ".done")); err == nil {
		return root, nil
	}
	fmt.Fprintf(os.Stderr, "making %s (one to two minutes)\n", root)
	tmp := root + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return "", err
	}
	cmd := exec.Command("debootstrap", "--variant=minbase", "--include="+extra, suite, tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("debootstrap: %w\n%s", err, out[max(0, len(out)-2000):])
	}
	return root, errors.Join(os.WriteFile(filepath.Join(tmp, ".done"), nil, 0o644), os.Rename(tmp, root))
}

// tool is the path of a program; without it the test is skipped, or fails where nothing may be skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if demanded() {
		t.Fatal(err)
	}
	netlab.Missing(t, name+" is not installed (make deps installs it as root)")
	return ""
}
