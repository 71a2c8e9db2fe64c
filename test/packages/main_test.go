//go:build unix

package packages

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if code, inside := enter(); !inside {
		os.Exit(code)
	}
	dir, err := os.MkdirTemp("", "rpcapd-packages")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builds.root = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// full says that a test needs root and real systems.
func full(t *testing.T) {
	t.Helper()
	switch {
	case os.Getenv("TEST_PACKAGES") != "1":
		t.Skip("installs packages on systems of its own: make test-packages, as root")
	case os.Geteuid() != 0:
		t.Fatal("TEST_PACKAGES=1 needs root")
	}
}
